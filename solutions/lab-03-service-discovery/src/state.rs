//! What the registry knows.

use crate::{Instance, LeaseId, Update};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};
use tokio::{sync::broadcast, time::Instant};
// stub: drop
use crate::Refused;
// stub: end

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
// stub: drop

impl State {
    fn service(&mut self, name: &str) -> &mut Service {
        self.services.entry(name.to_owned()).or_insert_with(|| Service {
            instances: BTreeMap::new(),
            changes: broadcast::Sender::new(CHANGES),
        })
    }

    /// Every change of a service from now on.
    pub(crate) fn changes(&mut self, service: &str) -> broadcast::Receiver<Update> {
        self.service(service).changes.subscribe()
    }

    /// When the next lease is over.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    pub(crate) fn instances(&self, service: &str) -> Vec<Instance> {
        let instances = self.services.get(service).into_iter().flat_map(|service| service.instances.values());
        instances.map(|(instance, _)| instance.clone()).collect()
    }

    pub(crate) fn grant(&mut self, service: &str, instance: Instance, ttl: Duration) -> LeaseId {
        self.last += 1;
        let (lease, deadline) = (LeaseId(self.last), Instant::now() + ttl);
        let id = instance.id.clone();
        let before = self.service(service).instances.insert(id.clone(), (instance.clone(), lease));
        if let Some((_, replaced)) = &before {
            self.forget_lease(*replaced);
        }
        self.leases.insert(lease, Lease { service: service.to_owned(), id, ttl, deadline });
        self.deadlines.insert((deadline, lease));
        if before.is_none_or(|(before, _)| before != instance) {
            self.service(service).tell(Update::Added(instance));
        }
        lease
    }

    pub(crate) fn renew(&mut self, lease: LeaseId) -> Result<(), Refused> {
        let known = self.leases.get_mut(&lease).ok_or(Refused::LeaseOver)?;
        self.deadlines.remove(&(known.deadline, lease));
        known.deadline = Instant::now() + known.ttl;
        self.deadlines.insert((known.deadline, lease));
        Ok(())
    }

    pub(crate) fn end(&mut self, lease: LeaseId) {
        let Some(Lease { service: name, id, .. }) = self.forget_lease(lease) else { return };
        let service = self.service(&name);
        service.instances.remove(&id);
        service.tell(Update::Removed { id });
        self.forget(&name);
    }

    pub(crate) fn end_overdue(&mut self, now: Instant) {
        while let Some((deadline, lease)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(deadline, lease));
            self.end(lease);
        }
    }

    /// The lease is over. What it was for is the caller's to take away.
    fn forget_lease(&mut self, lease: LeaseId) -> Option<Lease> {
        let known = self.leases.remove(&lease)?;
        self.deadlines.remove(&(known.deadline, lease));
        Some(known)
    }

    /// Drops a service in which nobody is left, or its name would stay here for ever.
    pub(crate) fn forget(&mut self, service: &str) {
        let is_empty =
            |service: &Service| service.instances.is_empty() && service.changes.receiver_count() == 0;
        if self.services.get(service).is_some_and(is_empty) {
            self.services.remove(service);
        }
    }
}

/// Changes that are kept for those who watch a service. A channel is made for each, so it is not a large one.
const CHANGES: usize = 64;

impl Service {
    fn tell(&self, update: Update) {
        // Without a watcher nobody hears it, and that is no error.
        let _ = self.changes.send(update);
    }
}
// stub: end
