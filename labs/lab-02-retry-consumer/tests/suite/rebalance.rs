// Step 4: partitions that go to another member, and come back.

use crate::{
    scene::{PATIENT, RESTLESS, Scene},
    scripted::{Call, Scripted, order},
};
use testkit::{Passed, Rule, Trial, kafka::Faults};

const SECTION: &str = "step-4-retry-without-standing-still";

/// Waits until a handler has been called so much more often for this partition than now.
async fn called_more(handler: &Scripted, partition: i32, more: usize) {
    let of_it = |calls: &[Call]| calls.iter().filter(|call| call.place.partition == partition).count();
    let before = of_it(&handler.calls());
    handler.when(|calls| of_it(calls) >= before + more).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_record_goes_with_its_partition() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule(
        "When a partition is taken away, its waiting record is tried by the new owner, and no more here",
    );
    let scene = Scene::start(&trial, 2).await;
    let commits = scene.commits();
    scene.produce(0, 1).await;
    scene.produce(1, 1).await;
    let first = Scripted::new(&trial).always_fails(order(0, 0)).always_fails(order(1, 0));
    let mut member = scene.member_among(&first, RESTLESS);
    for partition in [0, 1] {
        let expected = format!("record 0 of orders/{partition} is tried again and again");
        member.until(&rule, expected, first.failed(order(partition, 0), 2)).await;
    }
    trial.did("a second member joins the group");
    let second = Scripted::new(&trial);
    let mut other = scene.member_among(&second, PATIENT);
    let handled = second.when(|calls| calls.iter().any(Call::is_done));
    other.until(&rule, "the second member gets a partition, and handles its record", handled).await;
    let lost = second.calls()[0].place.partition;
    let kept = 1 - lost;
    trial.did(format!("orders/{lost} is now the second member's"));
    other.until(&rule, format!("orders/{lost} = 1 is committed"), commits.reach(&rule, lost, 1)).await;
    let goes_on = format!("the first member goes on with orders/{kept}");
    member.until(&rule, &goes_on, called_more(&first, kept, 2)).await;
    let before = first.calls_for(&order(lost, 0)).len();
    // Each of these comes after the time at which a forgotten retry would have come.
    member.until(&rule, &goes_on, called_more(&first, kept, 5)).await;
    let after = first.calls_for(&order(lost, 0)).len();
    rule.holds(
        before == after,
        format_args!("the first member does not try record 0 of orders/{lost} any more"),
        format_args!("it tried it {} times more", after - before),
    );
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_comes_back_goes_on() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A partition that was taken away while a record waited, and comes back, goes on");
    let scene = Scene::start(&trial, 2).await;
    let commits = scene.commits();
    scene.produce(0, 1).await;
    scene.produce(1, 1).await;
    let first = Scripted::new(&trial).always_fails(order(0, 0)).always_fails(order(1, 0));
    let mut member = scene.member_among(&first, RESTLESS);
    for partition in [0, 1] {
        let expected = format!("record 0 of orders/{partition} is tried again and again");
        member.until(&rule, expected, first.failed(order(partition, 0), 2)).await;
    }
    trial.did("a second member joins the group");
    let second = Scripted::new(&trial);
    let mut other = scene.member_among(&second, PATIENT);
    let handled = second.when(|calls| calls.iter().any(Call::is_done));
    other.until(&rule, "the second member gets a partition, and handles its record", handled).await;
    let lent = second.calls()[0].place.partition;
    trial.did(format!("orders/{lent} was the second member's, which leaves the group now"));
    other.ends_well(&rule).await;

    first.mend();
    scene.produce(0, 2).await;
    scene.produce(1, 2).await;
    let new = (1..3).flat_map(|offset| [order(0, offset), order(1, offset)]);
    member.until(&rule, "the first member handles what comes to both partitions", first.done(new)).await;
    for partition in [0, 1] {
        let expected = format!("orders/{partition} = 3 is committed");
        member.until(&rule, expected, commits.reach(&rule, partition, 3)).await;
        rule.holds(
            partition == lent || first.calls_for(&order(partition, 0)).last().is_some_and(Call::is_done),
            format_args!("record 0 of orders/{partition} is handled in the end"),
            "the first member has not handled it, and nobody else had the partition",
        );
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_in_the_middle_of_one_is_no_error() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A commit that fails since the group is in a rebalance does not end the run");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be made to say so");
    };
    goes_on_after(&trial, &rule, &scene, |faults| faults.rebalance_in_commit()).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_a_member_that_was_taken_for_dead_is_no_error() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("A commit that fails since the group has gone on without this member does not end the run");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be made to say so");
    };
    goes_on_after(&trial, &rule, &scene, |faults| faults.forget_member_in_commit()).await;
    trial.passed()
}

/// A commit fails, and what is finished then and afterwards is committed all the same.
async fn goes_on_after(trial: &Trial, rule: &Rule<'_>, scene: &Scene, fault: impl Fn(Faults<'_>)) {
    let commits = scene.commits();
    scene.produce(0, 2).await;
    let handler = Scripted::new(trial).holds(order(0, 0), 1);
    // The embedded broker looks once a second who is gone, and takes this time less a second to share out a group.
    let mut member = scene.member_with(&handler, PATIENT, &[("session.timeout.ms", "1400")]);
    member.until(rule, "record 0 is handed to the handler", handler.began(order(0, 0), 1)).await;
    fault(scene.kafka.faults().expect("an embedded broker"));
    handler.release();
    member.until(rule, "the run goes on with record 1", handler.done([order(0, 1)])).await;
    member.until(rule, "orders/0 = 2 is committed in the end", commits.reach(rule, 0, 2)).await;
    scene.produce(0, 1).await;
    member.until(rule, "the run goes on with record 2", handler.done([order(0, 2)])).await;
}
