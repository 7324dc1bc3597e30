//! What a watcher is told, at whatever pace it reads.

use crate::Instance;
use std::pin::Pin;
use tokio_stream::Stream;
// stub: drop
use crate::registry::Shared;
use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
// stub: end

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
// stub: drop

/// The updates of one service for one watcher.
pub(crate) struct Updates {
    /// What comes before anything in `changes`.
    snapshot: Option<Vec<Instance>>,
    changes: BroadcastStream<Update>,
    /// Stands behind `changes`, so that it is dropped after it.
    watched: Watched,
}

/// The service that is watched. When its last watcher has gone, the registry need not remember its name.
struct Watched {
    registry: Arc<Shared>,
    service: String,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.registry.forget(&self.service);
    }
}

impl Updates {
    pub(crate) fn begin(registry: Arc<Shared>, service: &str) -> Self {
        let (snapshot, changes) = registry.subscribe(service);
        let watched = Watched { registry, service: service.to_owned() };
        Self { snapshot: Some(snapshot), changes: BroadcastStream::new(changes), watched }
    }
}

impl Stream for Updates {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update>> {
        if let Some(snapshot) = self.snapshot.take() {
            return Poll::Ready(Some(Update::Snapshot(snapshot)));
        }
        match ready!(Pin::new(&mut self.changes).poll_next(context)) {
            Some(Ok(update)) => Poll::Ready(Some(update)),
            // Too slow: changes that this watcher had not read were dropped. Those that are left are of no use without
            // them, so it begins anew with all that there is.
            Some(Err(BroadcastStreamRecvError::Lagged(_))) => {
                let (snapshot, changes) = self.watched.registry.subscribe(&self.watched.service);
                self.changes = BroadcastStream::new(changes);
                Poll::Ready(Some(Update::Snapshot(snapshot)))
            }
            None => Poll::Ready(None),
        }
    }
}
// stub: end
