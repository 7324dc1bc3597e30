//! What the registry knows.

use crate::{Instance, LeaseId, Update};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};
use tokio::{sync::broadcast, time::Instant};

/// What the registry knows. Whoever changes an instance tells the watchers under the same lock, so that no watcher can
/// see the one without the other.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Services by name. One with neither instances nor watchers may stay, or go.
    pub(crate) services: BTreeMap<String, Service>,
    /// The leases that are not over.
    pub(crate) leases: HashMap<LeaseId, Lease>,
    /// The end of each of them, the earliest first.
    pub(crate) deadlines: BTreeSet<(Instant, LeaseId)>,
    /// The lease that was granted last.
    pub(crate) last: u64,
}

/// One service.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its instances by id, each with the lease that it is registered on.
    pub(crate) instances: BTreeMap<String, (Instance, LeaseId)>,
    /// To those who watch it.
    pub(crate) changes: broadcast::Sender<Update>,
}

/// What a lease is for, and when it is over.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) service: String,
    pub(crate) id: String,
    pub(crate) ttl: Duration,
    pub(crate) deadline: Instant,
}
