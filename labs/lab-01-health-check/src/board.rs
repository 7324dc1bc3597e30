//! The state of truth: which service has which status, and who wants to know.

use crate::ServingStatus;
use std::{collections::BTreeMap, pin::Pin, sync::Arc};
use tokio::sync::watch;
use tokio_stream::Stream;

/// What [`StatusBoard::watch`] gives back: the current status, then one status for each change.
pub type StatusStream = Pin<Box<dyn Stream<Item = ServingStatus> + Send>>;

/// The status of every service of this server.
///
/// Clones share one board. Whoever knows something about a service writes it here; the health calls only read.
///
/// # The whole server
///
/// The name `""` stands for the whole server. Its status is derived, never set: it is SERVING exactly when
/// every service on the board is SERVING and the board is not shut down, otherwise NOT_SERVING. UNKNOWN counts
/// as not serving. An empty board is SERVING: nothing is broken.
///
/// # After shutdown
///
/// [`shut_down`](Self::shut_down) is final. See there.
///
/// # Guarantees
///
/// - No method waits for a reader, however slow it is, and none needs to be awaited.
/// - When a method returns, every clone shows what it did.
/// - Statuses that are set from many threads at once are all kept.
///
/// The private fields are yours: keep this one or put something else in its place.
#[derive(Clone, Debug)]
pub struct StatusBoard {
    /// One channel that holds the whole board. A reader sees all of it at one moment, and a watcher that
    /// subscribes and then reads misses nothing in between.
    snapshot: watch::Sender<Arc<Snapshot>>,
}

/// The whole board at one moment. It stands behind an [`Arc`], so that a watcher takes it without a copy.
#[derive(Clone, Debug, Default)]
struct Snapshot {
    statuses: BTreeMap<String, ServingStatus>,
    /// Set once, by [`StatusBoard::shut_down`].
    shut_down: bool,
}

impl StatusBoard {
    /// An empty board.
    pub fn new() -> Self {
        todo!("step 1: a board without services")
    }

    /// Puts a service on the board, or gives the one that is there another status.
    ///
    /// Does nothing for `""`, whose status is derived, and nothing after [`shut_down`](Self::shut_down).
    pub fn set_status(&self, service: &str, status: ServingStatus) {
        todo!("step 1: keep the status under its name, and see to it that watchers get to know")
    }

    /// Takes a service off the board. From now on it is as unknown as one that was never there.
    ///
    /// Does nothing for `""` or for an unknown service, and nothing after [`shut_down`](Self::shut_down).
    pub fn clear_status(&self, service: &str) {
        todo!("step 1: forget the service, and see to it that watchers get to know")
    }

    /// The status of one service now, or `None` if it is unknown. `""` is always known.
    pub fn status(&self, service: &str) -> Option<ServingStatus> {
        todo!("step 1: look the service up; the whole server has the status of all of them together")
    }

    /// The status of every service now, by its name, and of the whole server under `""`.
    pub fn statuses(&self) -> BTreeMap<String, ServingStatus> {
        todo!("step 1: every service, and the whole server as well")
    }

    /// The status of one service now, and again whenever it changes.
    ///
    /// - The first item is there at once: the status at the moment of this call, or a newer one.
    /// - After that there is an item only when the status *differs* from the item before, the last one that the
    ///   reader took. A status that changed and changed back between two reads is no news.
    /// - While the service is unknown its status is SERVICE_UNKNOWN, and the stream goes on: the service may
    ///   come, go and come back.
    /// - Fast changes may be skipped, but the last status always arrives, however late the reader is. That holds
    ///   for every stream by itself, however many there are.
    /// - `""` can be watched like any other name.
    /// - Once the board is shut down, the status is NOT_SERVING whatever the name, also that of an unknown
    ///   service; the stream says so, unless that was its last item anyway, and ends.
    /// - A stream that is dropped leaves no task behind, at the latest when the status changes the next time. Let
    ///   go of whatever else you keep for it, too: no test can see it, and a server that runs for months will.
    ///
    /// Must be called within a Tokio runtime.
    pub fn watch(&self, service: &str) -> StatusStream {
        todo!("step 2: the status now, then each change of it")
    }

    /// Says that this server is going away. Final: nothing brings SERVING back.
    ///
    /// From now on every service on the board is NOT_SERVING, and so is `""`, also when the board is empty.
    /// Setting and clearing do nothing any more, and a second call does no more than the first.
    ///
    /// Every watch is told NOT_SERVING, unless that was its last item anyway, and ends; and so does
    /// one that begins later.
    pub fn shut_down(&self) {
        todo!("step 4: NOT_SERVING everywhere and for good, and watches come to their end")
    }
}

impl Default for StatusBoard {
    fn default() -> Self {
        Self::new()
    }
}
