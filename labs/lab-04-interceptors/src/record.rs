//! What an access log says of a call. Given, and complete.

use crate::RequestId;
use std::{fmt, sync::Arc, time::Duration};
use tonic::Code;

/// Which end of a call tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that makes the call.
    Client,
    /// The one that answers it.
    Server,
}

/// One call, told when it has ended. It holds nothing secret: no token, no header as it came, no message.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Who tells this.
    pub side: Side,
    /// The method as it is on the wire, such as `/ledger.v1.Ledger/Post`.
    pub method: String,
    /// The id of the request, if it has one.
    pub request_id: Option<RequestId>,
    /// The name of the caller, on a server that knows it.
    pub caller: Option<String>,
    /// How the call ended.
    pub code: Code,
    /// Messages that went from client to server, counted where they passed this log.
    pub requests: u64,
    /// Messages that went from server to client, counted where they passed this log.
    pub replies: u64,
    /// From the call's beginning to its end, by Tokio's clock.
    pub duration: Duration,
}

/// The record as a line of text for people.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, method, code, requests, replies, duration, .. } = self;
        write!(f, "{side:?} {method} {code:?} requests={requests} replies={replies} in {duration:.1?}")?;
        write!(f, " caller={}", self.caller.as_deref().unwrap_or("-"))?;
        write!(f, " id={}", self.request_id.as_ref().map_or("-", RequestId::as_str))
    }
}

/// Where records go. Clones are the same place.
///
/// It is called in the midst of a call, on whatever thread that is, so it must be quick: hand the record to somebody
/// else if it is not.
#[derive(Clone)]
pub struct Sink(Arc<dyn Fn(Record) + Send + Sync>);

impl Sink {
    /// Each record goes to this function.
    pub fn new(take: impl Fn(Record) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Takes the record of one call.
    pub fn take(&self, record: Record) {
        (self.0)(record);
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
