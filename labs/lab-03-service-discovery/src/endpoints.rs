//! The instances of a service as a client has them: each with a connection, and live or not.

use std::collections::BTreeMap;
use tonic::transport::Channel;

/// The instances that are known, by id.
pub(crate) type Endpoints = BTreeMap<String, Endpoint>;

/// One instance.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// Where it is.
    pub(crate) address: String,
    /// The connection to it, which is made when it is needed first.
    pub(crate) channel: Channel,
    /// Whether calls may go there.
    pub(crate) live: bool,
}
