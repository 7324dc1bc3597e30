// Steps 3 and 4: records that cannot be handled.

use crate::times::in_utc;
use crate::{
    scene::{AND_AN_EMPTY_ONE, PATIENT, QUICK, Scene},
    scripted::{Scripted, order},
};
use lab_02_retry_consumer::{RetryPolicy, RunError};
use std::time::{Duration, SystemTime};
use testkit::{Passed, Rule, Trial, kafka::Record};

/// Appends three records that were made two hours ago, with keys and payloads as those of `produce_many`.
async fn produce_old(scene: &Scene) {
    // Not much older: a broker may remove old records at any moment.
    let made = SystemTime::now() - Duration::from_secs(7200);
    let made = made.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis();
    for n in 0..3 {
        let record = Record::to(0)
            .key(format!("k{n}"))
            .payload(format!("r{n}"))
            .timestamp(made.try_into().expect("a time"));
        scene.kafka.produce(&scene.orders, &record).await;
    }
}

/// The dead letter of record 1 of `produce_many`, which was given up a moment ago.
fn is_of_record_1(rule: &Rule<'_>, scene: &Scene, letter: &Record, error: &str, attempts: &str) {
    rule.same((Some(b"k1".to_vec()), Some(b"r1".to_vec())), (letter.key.clone(), letter.payload.clone()));
    let header = |name| letter.header_text(name).unwrap_or_else(|| "no such header".into());
    for (name, expected) in [
        ("original-topic", scene.orders.name.as_str()),
        ("original-partition", "0"),
        ("original-offset", "1"),
        ("error", error),
        ("attempts", attempts),
    ] {
        let seen = header(name);
        rule.holds(seen == expected, format_args!("{name} is {expected:?}"), &seen);
    }
    let (now, seen) = (SystemTime::now(), header("timestamp"));
    let near = in_utc(&seen).is_some_and(|at| (now - NEAR..now + NEAR).contains(&at));
    rule.holds(near, "timestamp is when the record was given up, a moment ago", &seen);
}

/// A clock may be set in the middle of a test.
const NEAR: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permanent_error_becomes_a_dead_letter_at_once() -> Passed {
    let trial = Trial::start("step-3-commit-is-a-promise");
    let rule = trial
        .rule("A record with a permanent error becomes a dead letter at once, and its partition goes on");
    let scene = Scene::start(&trial, 1 + AND_AN_EMPTY_ONE).await;
    let (commits, mut letters) = (scene.commits(), scene.letters());
    produce_old(&scene).await;
    let handler = Scripted::new(&trial).cannot(order(0, 1));
    let mut member = scene.member(&handler, PATIENT);
    let letter = member.until(&rule, "the dead letter of record 1", letters.next(&rule)).await;
    is_of_record_1(&rule, &scene, &letter, "no JSON", "1");
    member.until(&rule, "record 2 is handled", handler.done([order(0, 2)])).await;
    member.until(&rule, "orders/0 = 3 is committed", commits.reach(&rule, 0, 3)).await;
    rule.same(vec![0, 1, 2], handler.offsets("orders", 0));
    rule.same(0, letters.rest());
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn used_up_attempts_end_in_a_dead_letter() -> Passed {
    let trial = Trial::start("step-4-retry-without-standing-still");
    let rule = trial
        .rule("After 1 + max_retries attempts a record becomes a dead letter, and its partition goes on");
    let scene = Scene::start(&trial, 1 + AND_AN_EMPTY_ONE).await;
    let (commits, mut letters) = (scene.commits(), scene.letters());
    scene.produce(0, 4).await;
    let handler = Scripted::new(&trial).always_fails(order(0, 1)).fails(order(0, 2), 2);
    // A wait that is longer than the policy's would be as long as the cap.
    let max_delay = Duration::from_secs(3600);
    let mut member = scene.member(&handler, RetryPolicy { max_retries: 2, max_delay, ..QUICK });
    let letter = member.until(&rule, "the dead letter of record 1", letters.next(&rule)).await;
    let attempts = handler.calls_for(&order(0, 1)).len();
    rule.holds(
        attempts == 3,
        "with max_retries 2, record 1 is tried 3 times",
        format_args!("{attempts} times"),
    );
    is_of_record_1(&rule, &scene, &letter, "the bank is down, 3", "3");
    let expected = "record 2 has attempts of its own, and is handled with the third";
    member.until(&rule, expected, handler.done([order(0, 2)])).await;
    member.until(&rule, "orders/0 = 4 is committed", commits.reach(&rule, 0, 4)).await;
    rule.same(vec![0, 1, 1, 1, 2, 2, 2, 3], handler.offsets("orders", 0));
    rule.same(0, letters.rest());
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_retries_a_failure_ends_in_a_dead_letter() -> Passed {
    let trial = Trial::start("step-4-retry-without-standing-still");
    let rule = trial.rule("With max_retries 0 a record becomes a dead letter after its first failure");
    let scene = Scene::start(&trial, 1 + AND_AN_EMPTY_ONE).await;
    let mut letters = scene.letters();
    scene.produce(0, 3).await;
    let handler = Scripted::new(&trial).always_fails(order(0, 1));
    let mut member = scene.member(&handler, RetryPolicy { max_retries: 0, ..QUICK });
    let letter = member.until(&rule, "the dead letter of record 1", letters.next(&rule)).await;
    is_of_record_1(&rule, &scene, &letter, "the bank is down, 1", "1");
    member.until(&rule, "record 2 is handled", handler.done([order(0, 2)])).await;
    rule.same(vec![0, 1, 2], handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permanent_error_of_a_retry_is_the_last() -> Passed {
    let trial = Trial::start("step-4-retry-without-standing-still");
    let rule = trial.rule("A record whose retry ends with a permanent error becomes a dead letter at once");
    let scene = Scene::start(&trial, 1 + AND_AN_EMPTY_ONE).await;
    let mut letters = scene.letters();
    scene.produce(0, 3).await;
    let handler = Scripted::new(&trial).fails_then_cannot(order(0, 1), 1);
    let mut member = scene.member(&handler, QUICK);
    let letter = member.until(&rule, "the dead letter of record 1", letters.next(&rule)).await;
    is_of_record_1(&rule, &scene, &letter, "no JSON", "2");
    member.until(&rule, "record 2 is handled", handler.done([order(0, 2)])).await;
    rule.same(vec![0, 1, 1, 2], handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_that_is_refused_after_retries_ends_the_run() -> Passed {
    let trial = Trial::start("step-4-retry-without-standing-still");
    let rule = trial.rule("A dead letter that is refused ends the run also after retries");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be made to refuse records");
    };
    let commits = scene.commits();
    scene.produce(0, 3).await;
    scene.kafka.faults().expect("an embedded broker").refuse_records();
    let handler = Scripted::new(&trial).always_fails(order(0, 1));
    let member = scene.member(&handler, RetryPolicy { max_retries: 1, ..QUICK });
    let ended = member.ends(&rule, "run returns Err(RunError::DeadLetter(…))").await;
    rule.holds(
        matches!(ended, Err(RunError::DeadLetter(_))),
        "run returns Err(RunError::DeadLetter(…))",
        format_args!("{ended:?}"),
    );
    rule.same(Some(1), commits.now().await.get(&0).copied());
    rule.same(vec![0, 1, 1], handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_dead_letter_ends_the_run_and_loses_nothing() -> Passed {
    let trial = Trial::start("step-3-commit-is-a-promise");
    let rule = trial.rule("When a dead letter is refused, run ends and its record stays uncommitted");
    let Some(scene) = Scene::with_faults(&trial, 1 + AND_AN_EMPTY_ONE).await else {
        return trial.not_gradable("a broker that can be made to refuse records");
    };
    let (commits, mut letters) = (scene.commits(), scene.letters());
    scene.produce(0, 3).await;
    let faults = scene.kafka.faults().expect("an embedded broker");
    faults.refuse_records();
    let handler = Scripted::new(&trial).cannot(order(0, 1));
    let member = scene.member_among(&handler, PATIENT);
    let token = member.shutdown.clone();
    let ended = member.ends(&rule, "run returns Err(RunError::DeadLetter(…))").await;
    rule.holds(
        matches!(ended, Err(RunError::DeadLetter(_))),
        "run returns Err(RunError::DeadLetter(…))",
        format_args!("{ended:?}"),
    );
    rule.holds(
        !token.is_cancelled(),
        "the shutdown token is the caller's: run leaves it as it is",
        "it is cancelled",
    );
    let now = commits.now().await;
    rule.holds(
        now.get(&0) == Some(&1),
        "orders/0 = 1 is committed: record 0 is finished, record 1 is not",
        now.get(&0).map_or("nothing is committed".into(), |offset| format!("orders/0 = {offset}")),
    );
    rule.same(vec![0, 1], handler.offsets("orders", 0));

    faults.take_records();
    let handler = Scripted::new(&trial).cannot(order(0, 1));
    let mut member = scene.member_among(&handler, PATIENT);
    let letter =
        member.until(&rule, "a new member writes the dead letter of record 1", letters.next(&rule)).await;
    is_of_record_1(&rule, &scene, &letter, "no JSON", "1");
    member.until(&rule, "orders/0 = 3 is committed", commits.reach(&rule, 0, 3)).await;
    trial.passed()
}
