// Step 3: what is handled, and what is committed of it.

use crate::{
    scene::{PATIENT, Scene, not_seen},
    scripted::{Scripted, order, refund},
};
use lab_02_retry_consumer::{COMMIT_INTERVAL, RunError};
use rdkafka::{
    TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
};
use std::{collections::BTreeMap, time::Instant};
use testkit::{Passed, Trial, kafka::Record, property::commits_pass_no_unfinished_record};

const SECTION: &str = "step-3-commit-is-a-promise";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_is_handled_in_order() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("Every record of every topic and partition is handled, in the order of its partition, from the first on");
    let mut scene = Scene::start(&trial, 2).await;
    let refunds = scene.kafka.topic("refunds", 1).await;
    scene.topics.push(refunds.clone());
    scene.produce(0, 5).await;
    scene.produce(1, 5).await;
    scene.kafka.produce_many(&refunds, 0, 5).await;
    let handler = Scripted::new(&trial);
    let mut member = scene.member(&handler, PATIENT);
    let early = (0..5).flat_map(|at| [order(0, at), order(1, at), refund(at)]);
    member.until(&rule, "the records that were there before are handled", handler.done(early)).await;
    scene.produce(1, 5).await;
    scene.kafka.produce_many(&refunds, 0, 5).await;
    let late = (5..10).flat_map(|at| [order(1, at), refund(at)]);
    member.until(&rule, "the records that came later are handled", handler.done(late)).await;
    rule.same((0..5).collect::<Vec<_>>(), handler.offsets("orders", 0));
    rule.same((0..10).collect::<Vec<_>>(), handler.offsets("orders", 1));
    rule.same((0..10).collect::<Vec<_>>(), handler.offsets("refunds", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_handler_gets_a_record_as_it_is() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The handler gets key, payload and headers as they are, also where there are none");
    let scene = Scene::start(&trial, 1).await;
    let records = [
        Record::to(0).key("k").payload(vec![0, 0xff]).header("trace", "a").header_without_value("flag"),
        Record::to(0).payload("no key"),
        Record::to(0).key("a tombstone"),
        Record::to(0),
    ];
    for record in &records {
        scene.kafka.produce(&scene.orders, record).await;
    }
    let handler = Scripted::new(&trial);
    let mut member = scene.member(&handler, PATIENT);
    let all = (0..4).map(|offset| order(0, offset));
    member.until(&rule, "all four records are handled", handler.done(all)).await;
    for (expected, call) in records.into_iter().zip(handler.calls()) {
        let timestamp = call.record.timestamp;
        rule.same(Record { timestamp, ..expected }, call.record);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_finished_is_committed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule(
        "What is finished is committed soon, also when no further record comes: one past the last record",
    );
    let scene = Scene::start(&trial, 2).await;
    let commits = scene.commits();
    scene.produce(0, 3).await;
    scene.produce(1, 1).await;
    let handler = Scripted::new(&trial);
    let mut member = scene.member(&handler, PATIENT);
    member.until(&rule, "orders/0 = 3 is committed", commits.reach(&rule, 0, 3)).await;
    member.until(&rule, "orders/1 = 1 is committed", commits.reach(&rule, 1, 1)).await;
    scene.produce(0, 1).await;
    member.until(&rule, "orders/0 = 4 is committed", commits.reach(&rule, 0, 4)).await;
    let now = member.until(&rule, "the broker tells what is committed", commits.now()).await;
    rule.same(BTreeMap::from([(0, 4), (1, 1)]), now);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_comes_within_its_interval() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What is finished is committed within COMMIT_INTERVAL, which is 200 ms");
    let scene = Scene::start(&trial, 1).await;
    let commits = scene.commits();
    scene.produce(0, 1).await;
    let handler = Scripted::new(&trial);
    let mut member = scene.member(&handler, PATIENT);
    member.until(&rule, "orders/0 = 1 is committed", commits.reach(&rule, 0, 1)).await;
    // A busy machine may hold up one commit for so long, but not three in a row.
    let patience = COMMIT_INTERVAL * 15;
    let mut took = Vec::new();
    for offset in 1..4 {
        scene.produce(0, 1).await;
        let handled = handler.done([order(0, offset)]);
        member.until(&rule, format!("record {offset} is handled"), handled).await;
        let finished = Instant::now();
        let expected = format!("orders/0 = {} is committed", offset + 1);
        member.until(&rule, expected, commits.reach(&rule, 0, offset + 1)).await;
        took.push(finished.elapsed());
        if took.last() < Some(&patience) {
            return trial.passed();
        }
    }
    rule.broken(
        format_args!("one of three commits is there within {} s, fifteen times as long", patience.as_secs()),
        format_args!("they took {took:.1?}"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_in_the_handler_is_not_committed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("An offset is committed only when every record before it is finished, and not when it is read");
    let scene = Scene::start(&trial, 1).await;
    let commits = scene.commits();
    scene.produce(0, 4).await;
    let handler = Scripted::new(&trial).holds(order(0, 1), 1);
    let mut member = scene.member(&handler, PATIENT);
    member.until(&rule, "record 1 is handed to the handler", handler.began(order(0, 1), 1)).await;
    let passed = commits.when(|now| now.get(&0).is_some_and(|offset| *offset > 1));
    let kept = member.until(&rule, "run waits for the handler", not_seen(passed)).await;
    rule.over(commits_pass_no_unfinished_record);
    rule.holds(
        kept,
        "while the handler works on record 1, orders/0 is committed up to 1 and no further",
        "a commit past record 1: a crash now would lose it",
    );
    handler.release();
    member.until(&rule, "orders/0 = 4 is committed", commits.reach(&rule, 0, 4)).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_cannot_weaken_the_guarantees() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What the guarantees depend on is set by the consumer, whatever the settings say");
    let scene = Scene::start(&trial, 1).await;
    let commits = scene.commits();
    scene.produce(0, 4).await;
    let handler = Scripted::new(&trial).holds(order(0, 1), 1);
    let settings = [
        ("auto.offset.reset", "latest"),
        ("enable.auto.commit", "true"),
        ("auto.commit.interval.ms", "10"),
        ("enable.auto.offset.store", "true"),
    ];
    for (key, value) in settings {
        trial.did(format!("settings: {key} = {value}"));
    }
    let mut member = scene.member_with(&handler, PATIENT, &settings);
    let began = handler.began(order(0, 1), 1);
    member.until(&rule, "the group begins with the first record of the partition", began).await;
    let passed = commits.when(|now| now.get(&0).is_some_and(|offset| *offset > 1));
    let kept = member.until(&rule, "run waits for the handler", not_seen(passed)).await;
    rule.over(commits_pass_no_unfinished_record);
    rule.holds(
        kept,
        "while the handler works on record 1, orders/0 is committed up to 1 and no further",
        "a commit past record 1: a crash now would lose it",
    );
    handler.release();
    member.until(&rule, "orders/0 = 4 is committed", commits.reach(&rule, 0, 4)).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_commit_ends_the_run() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When the broker refuses a commit, run ends and says so");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be made to refuse commits");
    };
    scene.produce(0, 1).await;
    scene.kafka.faults().expect("an embedded broker").refuse_commits();
    let handler = Scripted::new(&trial);
    let member = scene.member(&handler, PATIENT);
    let token = member.shutdown.clone();
    let ended = member.ends(&rule, "run returns Err(RunError::Commit(…))").await;
    rule.holds(
        matches!(ended, Err(RunError::Commit(_))),
        "run returns Err(RunError::Commit(…))",
        format_args!("{ended:?}"),
    );
    rule.same(vec![0], handler.offsets("orders", 0));
    rule.holds(
        !token.is_cancelled(),
        "the shutdown token is the caller's: run leaves it as it is",
        "it is cancelled",
    );
    trial.passed()
}

/// As often as librdkafka asks by itself for one commit: it fails, and the next one does not.
const LOST: usize = 6;

/// A consumer that notices whatever one in the group notices.
fn witness(scene: &Scene) -> StreamConsumer {
    let mut everything = TopicPartitionList::new();
    everything.add_partition(&scene.orders.name, 0);
    let witness: StreamConsumer =
        scene.kafka.settings().set("group.id", "witness").create().expect("a consumer for the suite");
    witness.assign(&everything).expect("the suite reads the topic");
    witness
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_away_for_a_while_is_no_error() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A broker that cannot be reached for a while does not end the run");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be taken down");
    };
    let commits = scene.commits();
    scene.produce(0, 1).await;
    let handler = Scripted::new(&trial);
    let mut member = scene.member(&handler, PATIENT);
    member.until(&rule, "orders/0 = 1 is committed", commits.reach(&rule, 0, 1)).await;
    let witness = witness(&scene);
    let faults = scene.kafka.faults().expect("an embedded broker");
    faults.down();
    let noticed = async { while witness.recv().await.is_ok() {} };
    member.until(&rule, "run goes on while another consumer is told that the broker is away", noticed).await;
    faults.up();
    scene.produce(0, 1).await;
    member.until(&rule, "record 1 is handled", handler.done([order(0, 1)])).await;
    member.until(&rule, "orders/0 = 2 is committed", commits.reach(&rule, 0, 2)).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_in_a_commit_is_no_error() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("A commit that fails since the connection is lost does not end the run: the next covers it");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be made to close connections");
    };
    let commits = scene.commits();
    scene.produce(0, 2).await;
    let handler = Scripted::new(&trial).holds(order(0, 0), 1);
    let mut member = scene.member(&handler, PATIENT);
    member.until(&rule, "record 0 is handed to the handler", handler.began(order(0, 0), 1)).await;
    scene.kafka.faults().expect("an embedded broker").lose_commits(LOST);
    handler.release();
    member.until(&rule, "record 1 is handled", handler.done([order(0, 1)])).await;
    // Code that commits after each record covers the commits that failed with the one after this record.
    scene.produce(0, 1).await;
    member.until(&rule, "orders/0 = 3 is committed in the end", commits.reach(&rule, 0, 3)).await;
    scene.produce(0, 1).await;
    member.until(&rule, "the run goes on with record 3", handler.done([order(0, 3)])).await;
    rule.same(vec![0, 1, 2, 3], handler.offsets("orders", 0));
    trial.passed()
}
