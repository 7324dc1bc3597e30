//! What a record is handed to. Given, and complete.

use rdkafka::message::OwnedMessage;
use std::fmt;

/// Does the work for one record.
pub trait Handler: Send + Sync + 'static {
    /// Handles a record. It may be called again for the same record: after an error, after a crash, after a rebalance.
    ///
    /// A call should take less than `max.poll.interval.ms`, as in every Kafka consumer.
    fn handle(&self, record: &OwnedMessage) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// Why a record could not be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandlerError {
    /// It may work later: the bank is down.
    Transient(String),
    /// It will never work: the payload is no JSON.
    Permanent(String),
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transient(text) | Self::Permanent(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for HandlerError {}
