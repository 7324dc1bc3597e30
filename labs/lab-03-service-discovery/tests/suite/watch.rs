// Step 2: what a watcher who keeps up is told.

use crate::clerk::{
    Clerk, LONG, ORDERS, USERS, Watcher, added, in_order, instance, millis, removed, seconds, snapshot, turns,
};
use lab_03_service_discovery::{EXPIRY_LAG, Instance, Update};
use testkit::{Passed, Rule, Trial};
use tokio::time::Instant;

const SECTION: &str = "step-2-watches";

#[tokio::test(start_paused = true)]
async fn a_watch_begins_with_all_that_there_is() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A watch begins with a snapshot of all that there is, also when that is nobody");
    let clerk = Clerk::new(&trial);
    let (a, b) = (instance("a", 1), instance("b", 2));
    let mut early = clerk.watches(&rule, USERS, 1).await;
    early.is_told(&rule, snapshot(&[])).await;
    clerk.registers(&rule, USERS, &b, LONG).await;
    clerk.registers(&rule, USERS, &a, LONG).await;
    let mut late = clerk.watches(&rule, USERS, 2).await;
    late.is_told(&rule, snapshot(&[&a, &b])).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_in_its_order() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Each change is told as one update, in the order in which they happened");
    let clerk = Clerk::new(&trial);
    let (a, b, c) = (instance("a", 1), instance("b", 2), instance("c", 3));
    let mut watcher = clerk.watches(&rule, USERS, 1).await;
    watcher.is_told(&rule, snapshot(&[])).await;

    let of_a = clerk.registers(&rule, USERS, &a, LONG).await;
    watcher.is_told(&rule, added(&a)).await;
    let of_b = clerk.registers(&rule, USERS, &b, LONG).await;
    watcher.is_told(&rule, added(&b)).await;
    clerk.deregisters(&rule, "a's lease", of_a).await;
    watcher.is_told(&rule, removed("a")).await;

    clerk.registers(&rule, USERS, &c, LONG).await;
    clerk.deregisters(&rule, "b's lease", of_b).await;
    clerk.registers(&rule, USERS, &a, LONG).await;
    let mut view = vec![b.clone()];
    while view != [a.clone(), c.clone()] {
        apply(&rule, &mut view, watcher.next(&rule, "all three changes").await);
    }
    trial.passed()
}

/// Takes an update in. A fresh snapshot in place of several changes is as good.
fn apply(rule: &Rule<'_>, view: &mut Vec<Instance>, update: Update) {
    match update {
        Update::Snapshot(all) => *view = all,
        Update::Added(instance) => view.push(instance),
        Update::Removed { id } => view.retain(|instance| instance.id != id),
    }
    view.sort_by(|one, other| one.id.cmp(&other.id));
    rule.holds(view.len() <= 3, "three instances at most", view.len());
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_is_not_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A renewal, the same registration again and a lease that is over are no news");
    let clerk = Clerk::new(&trial);
    let (a, b) = (instance("a", 1), instance("b", 2));
    let old = clerk.registers(&rule, USERS, &a, LONG).await;
    let mut watcher = clerk.watches(&rule, USERS, 1).await;
    watcher.is_told(&rule, snapshot(&[&a])).await;

    clerk.renews(&rule, "a's lease", old).await;
    turns().await;
    let new = clerk.registers(&rule, USERS, &a, LONG).await;
    turns().await;
    clerk.deregisters(&rule, "a's old lease", old).await;
    turns().await;
    clerk.cannot_renew(&rule, "a's old lease", old).await;
    turns().await;
    clerk.registers(&rule, USERS, &b, LONG).await;
    watcher.is_told(&rule, added(&b)).await;

    clerk.deregisters(&rule, "a's lease", new).await;
    watcher.is_told(&rule, removed("a")).await;
    clerk.deregisters(&rule, "a's lease", new).await;
    turns().await;
    clerk.registers(&rule, USERS, &a, LONG).await;
    watcher.is_told(&rule, added(&a)).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn another_address_is_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A registration at another address is one change: the instance with its new address");
    let clerk = Clerk::new(&trial);
    let (before, after, b) = (instance("a", 1), instance("a", 2), instance("b", 3));
    clerk.registers(&rule, USERS, &before, LONG).await;
    let mut watcher = clerk.watches(&rule, USERS, 1).await;
    watcher.is_told(&rule, snapshot(&[&before])).await;
    clerk.registers(&rule, USERS, &after, LONG).await;
    watcher.is_told(&rule, added(&after)).await;
    clerk.registers(&rule, USERS, &b, LONG).await;
    watcher.is_told(&rule, added(&b)).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_watcher_hears_of_its_own_service_alone() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A watcher is told of its own service and of no other");
    let clerk = Clerk::new(&trial);
    let (a, b) = (instance("a", 1), instance("b", 2));
    let mut users = clerk.watches(&rule, USERS, 1).await;
    users.is_told(&rule, snapshot(&[])).await;
    for _ in 0..3 {
        let lease = clerk.registers(&rule, ORDERS, &a, LONG).await;
        turns().await;
        clerk.deregisters(&rule, "that lease", lease).await;
        turns().await;
    }
    clerk.registers(&rule, USERS, &b, LONG).await;
    users.is_told(&rule, added(&b)).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn every_watcher_is_told_however_often_a_service_empties() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Every watcher is told each change, also when everybody has gone in between");
    let clerk = Clerk::new(&trial);
    let mut watchers = Vec::new();
    for number in 1..=3 {
        watchers.push(clerk.watches(&rule, USERS, number).await);
    }
    for watcher in &mut watchers {
        watcher.is_told(&rule, snapshot(&[])).await;
    }
    for round in 1..=3 {
        let a = instance("a", round);
        let lease = clerk.registers(&rule, USERS, &a, LONG).await;
        for watcher in &mut watchers {
            watcher.is_told(&rule, added(&a)).await;
        }
        clerk.deregisters(&rule, "a's lease", lease).await;
        for watcher in &mut watchers {
            watcher.is_told(&rule, removed("a")).await;
        }
        // One fewer: nobody misses it.
        watchers.pop();
        trial.did("one of the watchers goes");
    }
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn nothing_falls_between_the_snapshot_and_the_changes() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A change after the snapshot is told, at whatever moment it happens");
    let (a, b) = (instance("a", 1), instance("b", 2));

    // Before the first update is read: it may be in the snapshot, or follow it.
    let clerk = Clerk::new(&trial);
    clerk.registers(&rule, USERS, &a, LONG).await;
    let mut watcher = clerk.watches(&rule, USERS, 1).await;
    clerk.registers(&rule, USERS, &b, LONG).await;
    let first = watcher.next(&rule, "a snapshot").await;
    let all = snapshot(&[&a, &b]);
    rule.holds(first == all || first == snapshot(&[&a]), "a snapshot with a, or with both", in_order(&first));
    if first != all {
        watcher.is_told(&rule, added(&b)).await;
    }

    // Right after it, before the next one is asked for.
    let clerk = Clerk::new(&trial);
    let mut watcher = clerk.watches(&rule, USERS, 2).await;
    watcher.is_told(&rule, snapshot(&[])).await;
    let lease = clerk.registers(&rule, USERS, &b, LONG).await;
    watcher.is_told(&rule, added(&b)).await;
    clerk.deregisters(&rule, "b's lease", lease).await;
    watcher.is_told(&rule, removed("b")).await;
    trial.passed()
}

/// The next update must be this removal, no earlier than the end of the lease and at most the lag later.
async fn told_in_time(rule: &Rule<'_>, watcher: &mut Watcher, id: &str, end: Instant) {
    watcher.is_told(rule, removed(id)).await;
    let now = Instant::now();
    let late = now.saturating_duration_since(end);
    rule.holds(now >= end, "not before the end of the lease", format_args!("{:?} before", end - now));
    let lag = format!("at most {EXPIRY_LAG:?} after the end of the lease");
    // Timers count in whole milliseconds.
    rule.holds(late <= EXPIRY_LAG + millis(2), lag, format_args!("{late:?} after"));
}

#[tokio::test(start_paused = true)]
async fn an_expiry_is_told_by_itself() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Watchers are told that a lease has expired, without anybody asking for anything");
    let clerk = Clerk::new(&trial);
    let (a, b) = (instance("a", 1), instance("b", 2));
    // Uneven, so that nobody who looks once in a while happens to be in time.
    let end = Instant::now() + millis(5_037);
    clerk.registers(&rule, USERS, &a, millis(5_037)).await;
    clerk.registers(&rule, USERS, &b, millis(8_037)).await;
    let mut watcher = clerk.watches(&rule, USERS, 1).await;
    watcher.is_told(&rule, snapshot(&[&a, &b])).await;
    told_in_time(&rule, &mut watcher, "a", end).await;
    told_in_time(&rule, &mut watcher, "b", end + seconds(3)).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_shorter_lease_does_not_wait_for_a_longer_one() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("The end of a lease is told in its time, also when a longer one was there before it");
    let clerk = Clerk::new(&trial);
    let (long, short) = (instance("long", 1), instance("short", 2));
    clerk.registers(&rule, USERS, &long, LONG).await;
    clerk.waits(seconds(1)).await;
    let mut watcher = clerk.watches(&rule, USERS, 1).await;
    watcher.is_told(&rule, snapshot(&[&long])).await;
    let end = Instant::now() + millis(5_037);
    clerk.registers(&rule, USERS, &short, millis(5_037)).await;
    watcher.is_told(&rule, added(&short)).await;
    told_in_time(&rule, &mut watcher, "short", end).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_renewed_lease_is_told_at_its_new_end() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("After a renewal, watchers are told of the new end and not of the old one");
    let clerk = Clerk::new(&trial);
    let a = instance("a", 1);
    let lease = clerk.registers(&rule, USERS, &a, millis(5_037)).await;
    let mut watcher = clerk.watches(&rule, USERS, 1).await;
    watcher.is_told(&rule, snapshot(&[&a])).await;
    clerk.waits(seconds(3)).await;
    let end = Instant::now() + millis(5_037);
    clerk.renews(&rule, "a's lease", lease).await;
    told_in_time(&rule, &mut watcher, "a", end).await;
    trial.passed()
}
