//! What a watcher is told, at whatever pace it reads.

use crate::Instance;
use std::pin::Pin;
use tokio_stream::Stream;

/// About the most updates that wait for one watcher who does not read, however many changes there are.
pub const MOST_WAITING: usize = 256;

/// What [`ServiceRegistry::watch`](crate::ServiceRegistry::watch) gives back.
pub type UpdateStream = Pin<Box<dyn Stream<Item = Update> + Send>>;

/// One thing that a watcher is told. Whoever takes them in, one after the other, knows what the registry knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// Everything that there is, in the order of the ids, in place of all that was told before.
    Snapshot(Vec<Instance>),
    /// One change: this instance has come, or the one of this id has another address now.
    Added(Instance),
    /// One change: the instance of this id has gone.
    Removed {
        /// Its id.
        id: String,
    },
}
