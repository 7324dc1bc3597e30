// Goes to the registry for the tests, and writes down what happened there.

use lab_03_service_discovery::{Instance, LeaseId, Refused, ServiceRegistry, Update, UpdateStream};
use std::time::Duration;
use testkit::{Rule, Seen, Told, Trial};
use tokio::{task::yield_now, time::sleep};
use tokio_stream::StreamExt as _;

/// The services that the tests speak of.
pub const ORDERS: &str = "shop.v1.Orders";
pub const USERS: &str = "users.v1.UserService";

/// Longer than any test goes on.
pub const LONG: Duration = Duration::from_secs(3600);

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// An instance of this id, at a port that tells it apart from others.
pub fn instance(id: &str, port: u16) -> Instance {
    Instance { id: id.into(), address: format!("10.0.0.1:{port}") }
}

/// On a runtime of one thread, lets every other task go on until it waits for something.
pub async fn turns() {
    for _ in 0..50 {
        yield_now().await;
    }
}

/// How many tasks the runtime of this test has now.
pub fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

pub struct Clerk<'a> {
    pub trial: &'a Trial,
    pub registry: ServiceRegistry,
}

impl<'a> Clerk<'a> {
    /// A new registry.
    pub fn new(trial: &'a Trial) -> Self {
        Self { trial, registry: ServiceRegistry::new() }
    }

    /// A registration that must be granted.
    pub async fn registers(
        &self,
        rule: &Rule<'_>,
        service: &str,
        instance: &Instance,
        ttl: Duration,
    ) -> LeaseId {
        let what = format!("{} at {} is registered for {}", instance.id, instance.address, in_words(ttl));
        self.trial.did(if service == USERS { what } else { format!("{what}, for {service}") });
        let granted = self.registry.register(service, instance.clone(), ttl);
        match rule.within("a lease", granted).await {
            Ok(lease) => lease,
            Err(refused) => rule.broken("a lease", format_args!("{refused:?}")),
        }
    }

    /// A renewal that must succeed, as long as `whose` lease lives.
    pub async fn renews(&self, rule: &Rule<'_>, whose: &str, lease: LeaseId) {
        self.trial.did(format!("{whose} is renewed"));
        let renewed = rule.within("an answer to the renewal", self.registry.renew(lease)).await;
        rule.holds(renewed == Ok(()), format_args!("{whose} is renewed"), format_args!("{renewed:?}"));
    }

    /// A renewal that must be refused.
    pub async fn cannot_renew(&self, rule: &Rule<'_>, whose: &str, lease: LeaseId) {
        self.trial.did(format!("{whose} shall be renewed"));
        let renewed = rule.within("an answer to the renewal", self.registry.renew(lease)).await;
        let refused = renewed == Err(Refused::LeaseOver);
        let expected = format_args!("the renewal of {whose} is refused: LeaseOver");
        rule.holds(refused, expected, format_args!("{renewed:?}"));
    }

    pub async fn deregisters(&self, rule: &Rule<'_>, whose: &str, lease: LeaseId) {
        self.trial.did(format!("{whose} is given up"));
        rule.within("an end of deregister", self.registry.deregister(lease)).await;
    }

    /// Discovers just these, in this order.
    pub async fn discovers(&self, rule: &Rule<'_>, service: &str, expected: &[&Instance]) {
        let seen = rule.within("an answer to discover", self.registry.discover(service)).await;
        let expected: Vec<Instance> = expected.iter().map(|instance| (*instance).clone()).collect();
        rule.holds(
            seen == expected,
            format_args!("discovered for {service}: {}", list(&expected)),
            list(&seen),
        );
    }

    /// Somebody who watches, with a number for the reader of a failure.
    pub async fn watches(&self, rule: &Rule<'_>, service: &str, number: u32) -> Watcher {
        self.trial.history().record(Seen::WatchBegan { watcher: number });
        let updates = rule.within("a stream of updates", self.registry.watch(service)).await;
        Watcher { trial: self.trial.clone(), number, updates }
    }

    /// Lets time pass, on a clock that is paused.
    pub async fn waits(&self, time: Duration) {
        sleep(time).await;
        self.trial.did(format!("{} have passed", in_words(time)));
    }
}

/// Somebody who watches a service.
pub struct Watcher {
    trial: Trial,
    number: u32,
    updates: UpdateStream,
}

impl Watcher {
    /// What it is told next.
    pub async fn next(&mut self, rule: &Rule<'_>, expected: &str) -> Update {
        match rule.within(expected, self.updates.next()).await {
            Some(update) => {
                let told = told(&update);
                self.trial.history().record(Seen::WatcherTold { watcher: self.number, told });
                update
            }
            None => rule.broken(expected, "the stream ended"),
        }
    }

    /// What it is told next must be this.
    pub async fn is_told(&mut self, rule: &Rule<'_>, expected: Update) {
        let words = format!("watcher {} is told: {}", self.number, in_order(&expected));
        let seen = self.next(rule, &words).await;
        rule.holds(seen == expected, words, in_order(&seen));
    }
}

pub fn snapshot(instances: &[&Instance]) -> Update {
    Update::Snapshot(instances.iter().map(|instance| (*instance).clone()).collect())
}

pub fn added(instance: &Instance) -> Update {
    Update::Added(instance.clone())
}

pub fn removed(id: &str) -> Update {
    Update::Removed { id: id.into() }
}

/// An update as the history knows it.
pub fn told(update: &Update) -> Told {
    match update.clone() {
        Update::Snapshot(all) => Told::Snapshot(all.into_iter().map(|one| (one.id, one.address)).collect()),
        Update::Added(Instance { id, address }) => Told::Added { id, address },
        Update::Removed { id } => Told::Removed { id },
    }
}

/// An update in words that do not hide the order of a snapshot.
pub fn in_order(update: &Update) -> String {
    match update {
        Update::Snapshot(all) => format!("snapshot: {}", list(all)),
        _ => told(update).to_string(),
    }
}

fn list(instances: &[Instance]) -> String {
    let words: Vec<_> = instances.iter().map(|one| format!("{} at {}", one.id, one.address)).collect();
    if words.is_empty() { "nobody".into() } else { words.join(", ") }
}

fn in_words(time: Duration) -> String {
    if time.as_millis().is_multiple_of(1000) {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}
