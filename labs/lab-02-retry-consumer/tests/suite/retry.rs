// Step 4: records that wait, and all the others.

use crate::{
    scene::{AND_AN_EMPTY_ONE, PATIENT, QUICK, RESTLESS, Scene, not_seen},
    scripted::{Scripted, order, refund},
};
use lab_02_retry_consumer::RetryPolicy;
use std::time::Duration;
use testkit::{
    Passed, Trial, bound,
    kafka::Record,
    property::{commits_pass_no_unfinished_record, order_is_kept},
};

const SECTION: &str = "step-4-retry-without-standing-still";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transient_error_is_tried_again_after_its_delay() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A record with a transient error is tried again, each time after the policy's delay");
    let scene = Scene::start(&trial, 1).await;
    let (commits, mut letters) = (scene.commits(), scene.letters());
    scene.produce(0, 1).await;
    let delay = Duration::from_millis(60);
    let handler = Scripted::new(&trial).fails(order(0, 0), 3).holds(order(0, 0), 1);
    let mut member =
        scene.member(&handler, RetryPolicy { retry_delay: delay, max_delay: delay * 2, ..QUICK });
    member.until(&rule, "record 0 is handed to the handler", handler.began(order(0, 0), 1)).await;
    // The call takes longer than every delay: who counts from its beginning tries again at once.
    member.until(&rule, "run waits for the handler", not_seen(handler.dropped())).await;
    handler.release();
    member.until(&rule, "the fourth attempt succeeds", handler.done([order(0, 0)])).await;
    let calls = handler.calls_for(&order(0, 0));
    rule.same(4, calls.len());
    for (pair, least) in calls.windows(2).zip([delay / 2, delay, delay]) {
        let (failed, _) = pair[0].ended.as_ref().expect("one call at a time");
        let waited = pair[1].began.saturating_duration_since(*failed);
        rule.holds(
            waited >= least,
            format_args!(
                "attempt {} comes at least {} ms after the failure",
                pair[1].attempt,
                least.as_millis()
            ),
            format_args!("{} ms after it", waited.as_millis()),
        );
    }
    member.until(&rule, "orders/0 = 1 is committed", commits.reach(&rule, 0, 1)).await;
    rule.holds(
        letters.rest() == 0,
        "no dead letter of a record that was handled in the end",
        "a dead letter",
    );
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_is_kept_while_a_record_waits() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("While a record waits, the later ones of its partition wait behind it, and none is lost");
    let scene = Scene::start(&trial, 1 + AND_AN_EMPTY_ONE).await;
    let commits = scene.commits();
    scene.produce(0, 20).await;
    let handler = Scripted::new(&trial).fails(order(0, 1), 2).fails(order(0, 7), 1).fails(order(0, 8), 1);
    let mut member = scene.member(&handler, QUICK);
    let all = (0..20).map(|offset| order(0, offset));
    member.until(&rule, "all 20 records are handled", handler.done(all)).await;
    member.until(&rule, "orders/0 = 20 is committed", commits.reach(&rule, 0, 20)).await;
    rule.over(order_is_kept);
    let mut expected: Vec<_> = (0..20).collect();
    for (index, again) in [(1, 1), (1, 1), (9, 7), (11, 8)] {
        expected.insert(index, again);
    }
    rule.same(expected, handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_partitions_go_on_while_a_record_waits() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("While a record waits for its retry, all other partitions of all topics go on");
    let mut scene = Scene::start(&trial, 2).await;
    let refunds = scene.kafka.topic("refunds", 1).await;
    scene.topics.push(refunds.clone());
    scene.produce(0, 3).await;
    let handler = Scripted::new(&trial).always_fails(order(0, 1));
    let mut member = scene.member(&handler, PATIENT);
    member.until(&rule, "record 1 of orders/0 is tried", handler.failed(order(0, 1), 1)).await;
    scene.produce(1, 3).await;
    scene.kafka.produce_many(&refunds, 0, 3).await;
    let others = (0..3).flat_map(|offset| [order(1, offset), refund(offset)]);
    let expected = "the records of orders/1 and refunds/0 are handled while record 1 of orders/0 waits";
    member.until(&rule, expected, handler.done(others)).await;
    rule.same(vec![0, 1], handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_partitions_may_wait_at_once() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("Records of several partitions may wait at the same time, and the others still go on");
    let scene = Scene::start(&trial, 4).await;
    let handler =
        (0..3).fold(Scripted::new(&trial), |handler, partition| handler.always_fails(order(partition, 0)));
    let mut member = scene.member(&handler, PATIENT);
    for partition in 0..3 {
        scene.produce(partition, 2).await;
        let expected = format!("record 0 of orders/{partition} is tried");
        member.until(&rule, expected, handler.failed(order(partition, 0), 1)).await;
    }
    scene.produce(3, 2).await;
    member.until(&rule, "orders/3 goes on", handler.done([order(3, 0), order(3, 1)])).await;
    for partition in 0..3 {
        rule.same(vec![0], handler.offsets("orders", partition));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_goes_on_wakes_no_other() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When a partition goes on after a retry, others in which a record waits do not");
    let scene = Scene::start(&trial, 2 + AND_AN_EMPTY_ONE).await;
    scene.produce(0, 3).await;
    let handler = Scripted::new(&trial).always_fails(order(0, 0)).fails(order(1, 0), 1);
    let mut member = scene.member(&handler, RESTLESS);
    member.until(&rule, "record 0 of orders/0 is tried", handler.failed(order(0, 0), 1)).await;
    scene.produce(1, 2).await;
    let other = [order(1, 0), order(1, 1)];
    member.until(&rule, "orders/1 goes on after its retry", handler.done(other)).await;
    // Each of these takes longer than it takes to read a record.
    let before = handler.calls_for(&order(0, 0)).len();
    let again = handler.failed(order(0, 0), before + 5);
    member.until(&rule, "record 0 of orders/0 is tried again and again", again).await;
    rule.holds(
        handler.offsets("orders", 0).iter().all(|offset| *offset == 0),
        "records 1 and 2 of orders/0 wait behind record 0",
        format_args!("calls for the records {:?} of orders/0", handler.offsets("orders", 0)),
    );
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_gets_the_same_record() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The handler gets the same record again: key, payload, headers and timestamp");
    let scene = Scene::start(&trial, 1).await;
    let record = Record::to(0).key("k").payload("r").header("trace", "a");
    scene.kafka.produce(&scene.orders, &record).await;
    let handler = Scripted::new(&trial).fails(order(0, 0), 2);
    let mut member = scene.member(&handler, QUICK);
    member.until(&rule, "the third attempt succeeds", handler.done([order(0, 0)])).await;
    let calls = handler.calls();
    rule.same(record, Record { timestamp: None, ..calls[0].record.clone() });
    for again in &calls[1..] {
        rule.same(&calls[0].record, &again.record);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_of_one_number_wait_each_for_itself() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("Partition 0 of one topic is not partition 0 of another: each has its own record that waits");
    let mut scene = Scene::start(&trial, 1 + AND_AN_EMPTY_ONE).await;
    let refunds = scene.kafka.topic("refunds", 1).await;
    scene.topics.push(refunds.clone());
    let (commits, of_refunds) = (scene.commits(), scene.kafka.commits(&scene.group, &refunds));
    scene.produce(0, 2).await;
    scene.kafka.produce_many(&refunds, 0, 2).await;
    let handler = Scripted::new(&trial).fails(order(0, 0), 3).fails(refund(0), 3);
    let mut member = scene.member(&handler, QUICK);
    let all = [order(0, 0), order(0, 1), refund(0), refund(1)];
    member.until(&rule, "all four records are handled in the end", handler.done(all)).await;
    member.until(&rule, "orders/0 = 2 is committed", commits.reach(&rule, 0, 2)).await;
    member.until(&rule, "refunds/0 = 2 is committed", of_refunds.reach(&rule, 0, 2)).await;
    for topic in ["orders", "refunds"] {
        rule.same(vec![0, 0, 0, 0, 1], handler.offsets(topic, 0));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_never_passes_a_waiting_record() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("While a record waits, its partition is committed up to it, and no further");
    let scene = Scene::start(&trial, 2).await;
    let commits = scene.commits();
    scene.produce(0, 5).await;
    let handler = Scripted::new(&trial).always_fails(order(0, 2));
    let mut member = scene.member(&handler, PATIENT);
    member.until(&rule, "record 2 of orders/0 is tried", handler.failed(order(0, 2), 1)).await;
    // Whatever would be committed of orders/0 is committed before what comes now.
    scene.produce(1, 1).await;
    member.until(&rule, "orders/1 = 1 is committed", commits.reach(&rule, 1, 1)).await;
    scene.produce(1, 1).await;
    member.until(&rule, "orders/1 = 2 is committed", commits.reach(&rule, 1, 2)).await;
    member.until(&rule, "orders/0 = 2 is committed", commits.reach(&rule, 0, 2)).await;
    let now = member.until(&rule, "the broker tells what is committed", commits.now()).await;
    rule.over(commits_pass_no_unfinished_record);
    rule.holds(
        now.get(&0) == Some(&2),
        "orders/0 = 2 is committed: record 2 is not finished",
        format_args!("orders/0 = {}: a crash now would lose record 2", now[&0]),
    );
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_wait_keeps_the_membership() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("However long a record waits, the consumer stays a member of its group");
    // The limit is short, so that the test is. A broker of its own is at least as busy as the test itself; one that
    // serves others too may be held up for longer, and take every member for dead.
    let Some(scene) = Scene::with_faults(&trial, 1 + AND_AN_EMPTY_ONE).await else {
        return trial.not_gradable("a broker that serves this test alone");
    };
    let commits = scene.commits();
    scene.produce(0, 2).await;
    let handler = Scripted::new(&trial).fails(order(0, 0), 1);
    // Half of it is the shortest wait, and longer than the limit. Both grow on a slow machine, which may not run the
    // code for longer than the limit says.
    let (delay, limit) = (bound() * 2 / 5, bound() * 3 / 20);
    let policy = RetryPolicy { max_retries: 1, retry_delay: delay, max_delay: delay };
    let limit = limit.as_millis().to_string();
    trial.did(format!("settings: max.poll.interval.ms = {limit}"));
    let settings = [("max.poll.interval.ms", limit.as_str()), ("session.timeout.ms", limit.as_str())];
    let mut member = scene.member_with(&handler, policy, &settings);
    member.until(&rule, "record 1 is handled after record 0", handler.done([order(0, 0), order(0, 1)])).await;
    member.until(&rule, "orders/0 = 2 is committed", commits.reach(&rule, 0, 2)).await;
    let seen = handler.offsets("orders", 0);
    rule.holds(
        seen == [0, 0, 1],
        "record 0 is tried twice, record 1 once: nothing is read again",
        format_args!("calls for the records {seen:?}"),
    );
    trial.passed()
}
