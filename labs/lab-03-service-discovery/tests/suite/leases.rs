// Step 1: who is registered, and on whose lease.

use crate::clerk::{Clerk, LONG, ORDERS, USERS, instance, millis, seconds};
use lab_03_service_discovery::{Instance, LeaseId, MAX_TTL, Refused, ServiceRegistry};
use std::{collections::BTreeSet, sync::Arc};
use testkit::{Passed, Trial};
use tokio::{sync::Barrier, task::JoinSet};

const SECTION: &str = "step-1-leases";

#[tokio::test(start_paused = true)]
async fn whoever_is_registered_is_discovered() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An instance is discovered as soon as it is registered, also through a clone");
    let clerk = Clerk::new(&trial);
    let clone = Clerk { trial: &trial, registry: clerk.registry.clone() };
    let (a, b) = (instance("a", 1), instance("b", 2));

    clerk.discovers(&rule, USERS, &[]).await;
    clerk.registers(&rule, USERS, &a, LONG).await;
    clone.discovers(&rule, USERS, &[&a]).await;
    clone.registers(&rule, USERS, &b, LONG).await;
    clerk.discovers(&rule, USERS, &[&a, &b]).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn instances_come_in_the_order_of_their_ids() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Instances come in the order of their ids");
    let clerk = Clerk::new(&trial);
    let instances = ["d", "a", "c", "e", "b"].map(|id| instance(id, 1));
    for instance in &instances {
        clerk.registers(&rule, USERS, instance, LONG).await;
    }
    let [d, a, c, e, b] = &instances;
    clerk.discovers(&rule, USERS, &[a, b, c, d, e]).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn services_are_apart() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Instances of the same id in two services have nothing to do with each other");
    let clerk = Clerk::new(&trial);
    let (user, order) = (instance("a", 1), instance("a", 2));

    let of_users = clerk.registers(&rule, USERS, &user, LONG).await;
    let of_orders = clerk.registers(&rule, ORDERS, &order, LONG).await;
    clerk.renews(&rule, "the lease of the first", of_users).await;
    clerk.deregisters(&rule, "the lease of the second", of_orders).await;
    clerk.discovers(&rule, USERS, &[&user]).await;
    clerk.discovers(&rule, ORDERS, &[]).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_refused_and_changes_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What makes no sense is refused as Invalid, and nothing has changed");
    let clerk = Clerk::new(&trial);
    let a = instance("a", 1);
    let lease = clerk.registers(&rule, USERS, &a, LONG).await;

    let other = instance("a", 2);
    let nameless = Instance { id: String::new(), ..other.clone() };
    let nowhere = Instance { address: String::new(), ..other.clone() };
    for (what, service, instance, ttl) in [
        ("an empty service", "", &other, LONG),
        ("an empty id", USERS, &nameless, LONG),
        ("an empty address", USERS, &nowhere, LONG),
        ("a TTL of zero", USERS, &other, seconds(0)),
        ("a TTL of more than MAX_TTL", USERS, &other, MAX_TTL + millis(1)),
        ("a TTL beyond all measure", USERS, &other, std::time::Duration::MAX),
    ] {
        trial.did(format!("{what} is tried"));
        let seen = rule.within("an answer", clerk.registry.register(service, instance.clone(), ttl)).await;
        let invalid = matches!(seen, Err(Refused::Invalid(_)));
        rule.holds(invalid, format_args!("{what} is refused: Invalid"), format_args!("{seen:?}"));
    }
    clerk.discovers(&rule, USERS, &[&a]).await;
    clerk.renews(&rule, "the lease that was there", lease).await;
    clerk.registers(&rule, USERS, &a, MAX_TTL).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_given_up_once_and_for_all() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A lease that was given up is over; to give it up again is no error and does nothing");
    let clerk = Clerk::new(&trial);
    let (a, b) = (instance("a", 1), instance("b", 2));
    let lease = clerk.registers(&rule, USERS, &a, LONG).await;
    clerk.registers(&rule, USERS, &b, LONG).await;

    clerk.deregisters(&rule, "a's lease", lease).await;
    clerk.discovers(&rule, USERS, &[&b]).await;
    clerk.cannot_renew(&rule, "a's lease", lease).await;
    clerk.discovers(&rule, USERS, &[&b]).await;
    clerk.deregisters(&rule, "a's lease", lease).await;

    let never = LeaseId(u64::MAX - 7);
    clerk.cannot_renew(&rule, "a lease that never was", never).await;
    clerk.deregisters(&rule, "a lease that never was", never).await;
    clerk.discovers(&rule, USERS, &[&b]).await;
    trial.passed()
}

/// A registration that is replaced by one at another address, and one that is replaced by the same again.
fn replacements() -> [(Instance, Instance); 2] {
    [(instance("a", 1), instance("a", 2)), (instance("b", 3), instance("b", 3))]
}

#[tokio::test(start_paused = true)]
async fn a_replaced_lease_renews_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A new registration of an instance is a new lease, and the old one cannot be renewed");
    for (before, after) in replacements() {
        let clerk = Clerk::new(&trial);
        let old = clerk.registers(&rule, USERS, &before, LONG).await;
        let new = clerk.registers(&rule, USERS, &after, LONG).await;
        rule.holds(old != new, "a lease of its own", format_args!("{new:?} once more"));
        clerk.discovers(&rule, USERS, &[&after]).await;
        clerk.cannot_renew(&rule, "the old lease", old).await;
        clerk.renews(&rule, "the new lease", new).await;
        clerk.discovers(&rule, USERS, &[&after]).await;
    }
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_replaced_lease_removes_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("To give up a lease that was replaced leaves the new registration alone");
    for (before, after) in replacements() {
        let clerk = Clerk::new(&trial);
        let old = clerk.registers(&rule, USERS, &before, LONG).await;
        let new = clerk.registers(&rule, USERS, &after, LONG).await;
        clerk.deregisters(&rule, "the old lease", old).await;
        clerk.discovers(&rule, USERS, &[&after]).await;
        clerk.deregisters(&rule, "the new lease", new).await;
        clerk.discovers(&rule, USERS, &[]).await;
    }
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn no_lease_is_given_out_twice() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("No lease is given out twice, also when the first is over");
    let clerk = Clerk::new(&trial);
    let (a, b) = (instance("a", 1), instance("b", 2));
    let gone = clerk.registers(&rule, USERS, &a, LONG).await;
    clerk.deregisters(&rule, "a's lease", gone).await;
    let expired = clerk.registers(&rule, ORDERS, &a, seconds(1)).await;
    clerk.waits(seconds(2)).await;

    let lease = clerk.registers(&rule, USERS, &b, LONG).await;
    let fresh = lease != gone && lease != expired && gone != expired;
    rule.holds(fresh, "three leases", format_args!("{gone:?}, {expired:?} and {lease:?}"));
    clerk.deregisters(&rule, "a's lease", gone).await;
    clerk.deregisters(&rule, "the expired lease", expired).await;
    clerk.discovers(&rule, USERS, &[&b]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_register_at_once() -> Passed {
    const EACH: u16 = 50;
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Registrations from many threads are all kept, each with a lease of its own");
    let registry = ServiceRegistry::new();
    let barrier = Arc::new(Barrier::new(4));
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let (registry, barrier) = (registry.clone(), Arc::clone(&barrier));
        tasks.spawn(async move {
            barrier.wait().await;
            let mut leases = Vec::new();
            for port in 1..=EACH {
                leases.push(registry.register(USERS, instance(&format!("{task}-{port}"), port), LONG).await);
            }
            leases
        });
    }
    trial.did("four tasks register 50 instances each");
    let leases = rule.within("an end of all registrations", tasks.join_all()).await.concat();
    let different: BTreeSet<_> = leases.iter().flatten().collect();
    rule.holds(different.len() == 200, "200 leases", format_args!("{} different ones", different.len()));
    let there = rule.within("an answer to discover", registry.discover(USERS)).await.len();
    rule.holds(there == 200, "200 instances", there);
    trial.passed()
}
