// Step 2: watchers who do not keep up, and watchers who leave.

use crate::clerk::{
    Clerk, LONG, USERS, added, in_order, instance, removed, seconds, snapshot, tasks, told, turns,
};
use lab_03_service_discovery::{LeaseId, MOST_WAITING, Update};
use testkit::{
    Passed, Rule, Seen, Told, Trial,
    property::{every_watcher_converges, no_gap},
};
use tokio::task::yield_now;

const SECTION: &str = "step-2-watches";

/// More changes than anybody should keep for somebody who does not read.
const CHANGES: u16 = 2_000;

/// The instance comes and goes so often; each time at a port of its own, with all turns for whoever forwards it.
async fn comes_and_goes(rule: &Rule<'_>, clerk: &Clerk<'_>) {
    let mut held: Option<LeaseId> = None;
    for port in 1..=CHANGES {
        if let Some(lease) = held.take() {
            clerk.trial.history().record(Seen::InstanceLeft { id: "a".into() });
            rule.within("deregister returns, whoever does not read", clerk.registry.deregister(lease)).await;
        } else {
            let a = instance("a", port);
            let address = a.address.clone();
            clerk.trial.history().record(Seen::InstanceCame { id: "a".into(), address });
            let granted = clerk.registry.register(USERS, a, LONG);
            held = rule.within("register returns, whoever does not read", granted).await.ok();
        }
        yield_now().await;
    }
}

/// Registers one, as the history of a property wants it.
async fn comes(rule: &Rule<'_>, clerk: &Clerk<'_>, id: &str, port: u16) {
    let new = instance(id, port);
    let address = new.address.clone();
    clerk.trial.history().record(Seen::InstanceCame { id: id.into(), address });
    let granted = rule.within("a lease", clerk.registry.register(USERS, new, LONG)).await;
    rule.holds(granted.is_ok(), "a lease", format_args!("{granted:?}"));
}

/// Reads until this instance is known; returns how many updates that took, and how many of them were snapshots.
async fn reads_until(rule: &Rule<'_>, watcher: &mut crate::clerk::Watcher, id: &str) -> (usize, usize) {
    let (mut updates, mut snapshots) = (0, 0);
    loop {
        let update = watcher.next(rule, &format!("the watcher comes to know of {id}")).await;
        updates += 1;
        let known = match told(&update) {
            Told::Snapshot(all) => {
                snapshots += 1;
                all.contains_key(id)
            }
            Told::Added { id: this, .. } => this == id,
            Told::Removed { .. } => false,
        };
        if known {
            return (updates, snapshots);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_watcher_holds_nobody_up_and_is_not_led_astray() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A slow watcher delays nobody, and is given a fresh snapshot instead of a gap");
    let clerk = Clerk::new(&trial);
    let mut slow = clerk.watches(&rule, USERS, 1).await;
    comes_and_goes(&rule, &clerk).await;
    comes(&rule, &clerk, "z", 1).await;
    reads_until(&rule, &mut slow, "z").await;
    rule.over(no_gap);
    rule.over(every_watcher_converges);
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_slow_watcher_is_bounded() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("However many changes there are, about MOST_WAITING updates wait for one watcher");
    let clerk = Clerk::new(&trial);
    let mut slow = clerk.watches(&rule, USERS, 1).await;
    let first = slow.next(&rule, "a snapshot").await;
    rule.holds(first == snapshot(&[]), "a snapshot of nobody", in_order(&first));
    comes_and_goes(&rule, &clerk).await;
    comes(&rule, &clerk, "z", 1).await;
    trial.did(format!("there were {CHANGES} changes; only now the watcher reads on"));
    let (updates, _) = reads_until(&rule, &mut slow, "z").await;
    let expected = format!("at most about {MOST_WAITING} updates until it knows what there is");
    rule.holds(updates <= 2 * MOST_WAITING, expected, updates);
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn after_a_fresh_snapshot_each_change_is_told_again() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("After its fresh snapshot a watcher is told each change again");
    let clerk = Clerk::new(&trial);
    let mut slow = clerk.watches(&rule, USERS, 1).await;
    for _ in 0..2 {
        comes_and_goes(&rule, &clerk).await;
        let z = instance("z", 1);
        let lease = clerk.registers(&rule, USERS, &z, LONG).await;
        let (_, snapshots) = reads_until(&rule, &mut slow, "z").await;
        rule.holds(snapshots > 0, "a fresh snapshot, for it was too slow", "deltas alone");

        let b = instance("b", 2);
        let of_b = clerk.registers(&rule, USERS, &b, LONG).await;
        slow.is_told(&rule, added(&b)).await;
        clerk.deregisters(&rule, "b's lease", of_b).await;
        slow.is_told(&rule, removed("b")).await;
        clerk.deregisters(&rule, "z's lease", lease).await;
        slow.is_told(&rule, removed("z")).await;
    }
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_slow_watcher_costs_a_quick_one_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A watcher who keeps up is told each change, however slow another one is");
    let clerk = Clerk::new(&trial);
    let mut slow = clerk.watches(&rule, USERS, 1).await;
    let mut quick = clerk.watches(&rule, USERS, 2).await;
    quick.is_told(&rule, snapshot(&[])).await;
    for port in 1..=1_000 {
        let a = instance("a", port);
        let granted = rule.within("a lease", clerk.registry.register(USERS, a.clone(), LONG)).await;
        rule.holds(granted.is_ok(), "a lease", format_args!("{granted:?}"));
        quick.is_told(&rule, added(&a)).await;
    }
    trial.did("there were 1000 changes; only now the slow watcher reads");
    let last = instance("a", 1_000);
    loop {
        let update = slow.next(&rule, "the slow one comes to know of the last address").await;
        if update == added(&last) || update == Update::Snapshot(vec![last.clone()]) {
            break;
        }
    }
    trial.passed()
}

/// On a clock that is paused, all the time that somebody may need who looks up now and then.
async fn all_the_time_it_needs() {
    tokio::time::sleep(seconds(10)).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_who_has_gone() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When the watchers and the registry have gone, no task of theirs is left");
    let before = tasks();
    let clerk = Clerk::new(&trial);
    turns().await;
    // However many the registry has for itself.
    let idle = tasks();
    let mut watchers = Vec::new();
    for number in 1..=20 {
        let mut watcher = clerk.watches(&rule, USERS, number).await;
        watcher.is_told(&rule, snapshot(&[])).await;
        watchers.push(watcher);
    }
    drop(watchers);
    // A task may need a change to notice that nobody listens to it, or the end of a lease.
    clerk.registers(&rule, USERS, &instance("a", 1), seconds(1)).await;
    clerk.waits(seconds(2)).await;
    turns().await;
    let left = tasks().saturating_sub(idle);
    let few = "the tasks of 20 watchers end, at the latest with the next change";
    rule.holds(left <= 5, few, format_args!("{left} tasks more than before they came"));

    drop(clerk);
    trial.did("the registry is dropped");
    turns().await;
    all_the_time_it_needs().await;
    turns().await;
    let left = tasks().saturating_sub(before);
    let tasks = if left == 1 { "task" } else { "tasks" };
    rule.holds(left == 0, "no task is left", format_args!("{left} {tasks}"));
    trial.passed()
}
