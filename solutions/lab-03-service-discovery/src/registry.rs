//! The registry: who offers a service, where, and for how long.

use crate::{Instance, UpdateStream, state::State};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;
// stub: drop
use crate::{Update, update::Updates};
use std::sync::{MutexGuard, Weak};
use tokio::{
    sync::broadcast,
    time::{Instant, sleep_until},
};
// stub: end

/// The longest time to live that is granted.
pub const MAX_TTL: Duration = Duration::from_secs(3600);

/// How long after the end of a lease its watchers are told at the latest, as far as the machine keeps up.
pub const EXPIRY_LAG: Duration = Duration::from_millis(100);

/// One registration. A registry never gives the same one out twice, whatever became of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// Why the registry did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It makes no sense, and never will. The text says what, for people.
    Invalid(&'static str),
    /// The lease is over: it has expired, was given up, or another registration has replaced it. Register again.
    LeaseOver,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => f.write_str(what),
            Self::LeaseOver => f.write_str("this lease is over"),
        }
    }
}

impl std::error::Error for Refused {}

/// Who offers which service, and where.
///
/// Clones share one registry.
///
/// # Leases
///
/// A lease lives for its time to live (TTL), counted from its registration or from its last renewal by the clock of
/// [`tokio::time::Instant`], which nobody can set. From that moment on it is over, whether or not anybody has looked:
/// it cannot be renewed, and its instance is not discovered. A lease is also over when it is given up, and when its
/// instance is registered again. What is over stays over.
///
/// # Guarantees
///
/// - Every method does its work at once. It waits for no watcher, however slow that is, and for no timer.
/// - When a method returns, every clone shows what it did. Registrations from many threads are all kept.
/// - Watchers of a service are told its changes in one and the same order.
/// - Changes are told, and leases expire, without anybody asking for anything.
/// - When the last clone and the last stream of a registry are gone, it leaves no task behind.
///
/// # Left open
///
/// - Whether the registry remembers the name of a service that has neither instances nor watchers.
///
/// The private fields are yours: keep these or put something else in their place.
#[derive(Clone, Debug)]
pub struct ServiceRegistry {
    shared: Arc<Shared>,
}

/// What the clones of a registry and the streams of its watchers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Everything behind one lock. It is held for a few steps, and never across an await.
    pub(crate) state: Mutex<State>,
    /// Wakes the task that waits for the earliest deadline: there may be an earlier one now, or no registry any more.
    pub(crate) sooner: Arc<Notify>,
}

impl ServiceRegistry {
    /// A registry without instances.
    ///
    /// Must be called within a Tokio runtime.
    pub fn new() -> Self {
        // stub: todo!("step 1: a registry without instances. What ends leases while nobody calls is for step 2")
        let sooner = Arc::new(Notify::new());
        let shared = Arc::new(Shared { state: Mutex::default(), sooner: Arc::clone(&sooner) });
        tokio::spawn(expire(Arc::downgrade(&shared), sooner));
        Self { shared }
        // stub: end
    }

    /// Puts an instance into a service and grants a lease on it, from now for the time of `ttl`.
    ///
    /// An instance of this id that is there already is replaced, and its lease is over: it can neither renew nor
    /// remove the new one, nor end it when its own time comes. Watchers are told when the address is another one, and
    /// otherwise nothing: for them nothing has changed.
    ///
    /// # Errors
    /// [`Refused::Invalid`], and nothing has changed: when `service`, the id or the address is empty, when `ttl` is
    /// zero or more than [`MAX_TTL`].
    pub async fn register(
        &self,
        service: &str,
        instance: Instance,
        ttl: Duration,
    ) -> Result<LeaseId, Refused> {
        // stub: todo!("step 1: refuse what makes no sense, end the lease that was there, and grant a new one")
        if service.is_empty() || instance.id.is_empty() || instance.address.is_empty() {
            return Err(Refused::Invalid("a service, an id and an address are needed"));
        }
        if ttl.is_zero() || ttl > MAX_TTL {
            return Err(Refused::Invalid("a lease lasts longer than nothing, and an hour at most"));
        }
        let lease = self.shared.state().grant(service, instance, ttl);
        self.shared.sooner.notify_one();
        Ok(lease)
        // stub: end
    }

    /// Lets a lease live for its whole TTL again, from now.
    ///
    /// Watchers are not told: nothing has changed.
    ///
    /// # Errors
    /// [`Refused::LeaseOver`] when the lease is over, and when it never was. The instance does not come back by it.
    pub async fn renew(&self, lease: LeaseId) -> Result<(), Refused> {
        // stub: todo!("step 1: a new deadline for a lease that is not over, and no mercy for one that is")
        self.shared.state().renew(lease)
        // stub: end
    }

    /// Gives a lease up: its instance is gone, and watchers are told.
    ///
    /// Does nothing when the lease is over already. So it may be called twice, and by somebody who was replaced.
    pub async fn deregister(&self, lease: LeaseId) {
        // stub: todo!("step 1: take away the instance that is registered on this lease, and no other")
        self.shared.state().end(lease);
        // stub: end
    }

    /// The instances of a service now, in the order of their ids. An unknown service has none.
    pub async fn discover(&self, service: &str) -> Vec<Instance> {
        // stub: todo!("step 1: the instances whose leases are not over")
        self.shared.state().instances(service)
        // stub: end
    }

    /// The instances of a service now, and then each change, as [`Update`](crate::Update)s.
    ///
    /// - The first item is a [`Snapshot`](crate::Update::Snapshot) of the moment of this call, or of a later one, and there at
    ///   once. It is empty for a service without instances, be it known or not.
    /// - After that comes one item for each change since that snapshot, in the order in which they happened: no change
    ///   is left out and none is told twice, whenever it happens. What changes nothing is not told.
    /// - A reader who takes each item before the next change happens is told changes only, and no second snapshot.
    /// - A reader who does not keep up may be given a fresh snapshot in place of several changes, and from there each
    ///   change again. At most about [`MOST_WAITING`](crate::MOST_WAITING) items wait for it: before there are more, it
    ///   is given one. It never gets some of the changes without the others.
    /// - The end of a lease is told by itself, at the latest [`EXPIRY_LAG`] later, and never before it.
    /// - The stream goes on as long as a clone of the registry lives, however the instances come and go.
    pub async fn watch(&self, service: &str) -> UpdateStream {
        // stub: todo!("step 2: a snapshot, and every change that comes after it")
        Box::pin(Updates::begin(Arc::clone(&self.shared), service))
        // stub: end
    }
}

impl Default for ServiceRegistry {
    fn default() -> Self {
        Self::new()
    }
}
// stub: drop

/// Ends each lease at its time, and so tells the watchers, until the registry is gone.
async fn expire(registry: Weak<Shared>, sooner: Arc<Notify>) {
    loop {
        let Some(shared) = registry.upgrade() else { return };
        // To look is enough: whoever looks ends what is over.
        let next = shared.state().next_deadline();
        drop(shared);
        let deadline = async {
            match next {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = deadline => {}
            () = sooner.notified() => {}
        }
    }
}

impl Shared {
    /// The state as it is now: no lease in it is over. So nobody depends on the task that ends them being in time.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("nobody panics under this lock");
        // The clock is read under the lock, or a lease could be over for one caller and live for the next.
        state.end_overdue(Instant::now());
        state
    }

    /// Every instance of a service, and every change from then on.
    pub(crate) fn subscribe(&self, service: &str) -> (Vec<Instance>, broadcast::Receiver<Update>) {
        let mut state = self.state();
        let changes = state.changes(service);
        (state.instances(service), changes)
    }

    /// Somebody watches a service no longer.
    pub(crate) fn forget(&self, service: &str) {
        self.state().forget(service);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody is left whose leases could expire.
        self.sooner.notify_one();
    }
}
// stub: end
