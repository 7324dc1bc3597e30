// Step 5: how a consumer ends.

use crate::{
    scene::{Letters, Member, PATIENT, QUICK, Scene, not_seen},
    scripted::{Scripted, order},
};
use lab_02_retry_consumer::RunError;
use std::time::Duration;
use testkit::{
    Passed, Rule, Trial,
    kafka::{Backend, Commits, Record},
};

const SECTION: &str = "step-5-shutdown";

/// What the group has committed of `orders/0` must be this.
async fn is_committed(rule: &Rule<'_>, commits: &Commits, expected: Option<i64>) {
    let in_words = |offset: Option<i64>| match offset {
        Some(offset) => format!("orders/0 = {offset} is committed"),
        None => "nothing of orders/0 is committed".into(),
    };
    let now = commits.now().await.get(&0).copied();
    rule.holds(now == expected, format_args!("when run has returned, {}", in_words(expected)), in_words(now));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_record_does_not_hold_it_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A shutdown waits for no retry: the record that waits is left uncommitted");
    let scene = Scene::start(&trial, 1).await;
    let commits = scene.commits();
    scene.produce(0, 3).await;
    let handler = Scripted::new(&trial).always_fails(order(0, 1));
    let mut member = scene.member(&handler, PATIENT);
    member.until(&rule, "record 1 is tried, and waits an hour", handler.failed(order(0, 1), 1)).await;
    member.ends_well(&rule).await;
    is_committed(&rule, &commits, Some(1)).await;
    rule.same(vec![0, 1], handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_under_way_is_finished() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A call that is under way at the shutdown is finished and committed, and no other begins");
    let scene = Scene::start(&trial, 1).await;
    let commits = scene.commits();
    scene.produce(0, 5).await;
    let handler = Scripted::new(&trial).holds(order(0, 0), 1);
    let mut member = scene.member(&handler, QUICK);
    member.until(&rule, "record 0 is handed to the handler", handler.began(order(0, 0), 1)).await;
    member.stop();
    let kept = member.until(&rule, "run waits for the handler", not_seen(handler.dropped())).await;
    rule.holds(kept, "the call of the handler goes on to its end", "it was dropped");
    handler.release();
    member.returns_ok(&rule).await;
    is_committed(&rule, &commits, Some(1)).await;
    rule.same(vec![0], handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_begins_after_it() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("After the shutdown no call of the handler begins, however many records are there");
    let scene = Scene::start(&trial, 1).await;
    scene.produce(0, 5).await;
    let handler = Scripted::new(&trial).holds(order(0, 0), 1);
    let mut member = scene.member(&handler, QUICK);
    member.until(&rule, "record 0 is handed to the handler", handler.began(order(0, 0), 1)).await;
    member.stop();
    handler.release();
    member.returns_ok(&rule).await;
    rule.same(vec![0], handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_under_way_is_finished() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A retry that is under way at the shutdown is finished and committed");
    let scene = Scene::start(&trial, 2).await;
    let commits = scene.commits();
    scene.produce(0, 5).await;
    let handler = (0..2).fold(Scripted::new(&trial), |handler, partition| {
        handler.fails(order(partition, 0), 1).holds(order(partition, 0), 2)
    });
    let mut member = scene.member(&handler, QUICK);
    member.until(&rule, "record 0 is tried again", handler.began(order(0, 0), 2)).await;
    // Code that makes one call at a time does not get to this one.
    scene.produce(1, 5).await;
    let side_by_side = !not_seen(handler.began(order(1, 0), 2)).await;
    member.stop();
    let kept = member.until(&rule, "run waits for the handler", not_seen(handler.dropped())).await;
    rule.holds(kept, "the call of the handler goes on to its end", "it was dropped");
    handler.release();
    member.returns_ok(&rule).await;
    is_committed(&rule, &commits, Some(1)).await;
    rule.same(vec![0, 0], handler.offsets("orders", 0));
    if side_by_side {
        let committed = commits.now().await.get(&1).copied();
        let expected = "orders/1 = 1 is committed as well: two retries were under way";
        rule.holds(committed == Some(1), expected, format_args!("{committed:?} is committed of orders/1"));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_tried_again_after_it() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A call that fails after the shutdown is not tried again: its record stays uncommitted");
    let scene = Scene::start(&trial, 1).await;
    let (commits, mut letters) = (scene.commits(), scene.letters());
    scene.produce(0, 2).await;
    for attempt in 1..=2 {
        let handler = Scripted::new(&trial).always_fails(order(0, 0)).holds(order(0, 0), attempt);
        let mut member = scene.member_among(&handler, QUICK);
        let began = handler.began(order(0, 0), attempt);
        member.until(&rule, format!("attempt {attempt} of 4 begins"), began).await;
        member.stop();
        handler.release();
        member.returns_ok(&rule).await;
        is_committed(&rule, &commits, None).await;
        rule.same(vec![0; attempt as usize], handler.offsets("orders", 0));
    }
    rule.holds(letters.rest() == 0, "no dead letter of a record with attempts left", "a dead letter");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_may_come_before_the_first_record() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A shutdown before the first record is no error, and no record is handled");
    let scene = Scene::start(&trial, 1).await;
    let commits = scene.commits();
    scene.produce(0, 1).await;
    let handler = Scripted::new(&trial);
    scene.member(&handler, QUICK).ends_well(&rule).await;
    is_committed(&rule, &commits, None).await;
    rule.same(Vec::<i64>::new(), handler.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_goes_on_where_it_ended() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("After a restart nothing that is finished is handled again, and nothing is left out");
    let scene = Scene::start(&trial, 1).await;
    scene.produce(0, 3).await;
    let handler = Scripted::new(&trial);
    // A member that did not leave would hold the partition so long. The embedded broker takes a time of this length
    // for every change of a group.
    let patience = if scene.kafka.backend() == Backend::Embedded { "1200" } else { "120000" };
    trial.did(format!("settings: session.timeout.ms = {patience}"));
    let mut member = scene.member_with(&handler, QUICK, &[("session.timeout.ms", patience)]);
    member.until(&rule, "record 2 is handled", handler.done([order(0, 2)])).await;
    member.ends_well(&rule).await;
    scene.produce(0, 1).await;
    let next = Scripted::new(&trial);
    // With this time the embedded broker would wait two minutes for one that has not left.
    let mut member = scene.member_with(&next, QUICK, &[("session.timeout.ms", "120000")]);
    member.until(&rule, "record 3 is handled by the next member", next.done([order(0, 3)])).await;
    rule.same(vec![3], next.offsets("orders", 0));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_last_commit_is_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When the broker refuses the last commit, run returns the error");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be made to refuse commits");
    };
    scene.produce(0, 1).await;
    let handler = Scripted::new(&trial).holds(order(0, 0), 1);
    let mut member = scene.member(&handler, QUICK);
    member.until(&rule, "record 0 is handed to the handler", handler.began(order(0, 0), 1)).await;
    scene.kafka.faults().expect("an embedded broker").refuse_commits();
    member.stop();
    handler.release();
    let ended = member.ends(&rule, "run returns Err(RunError::Commit(…))").await;
    rule.holds(
        matches!(ended, Err(RunError::Commit(_))),
        "run returns Err(RunError::Commit(…)): record 0 is finished, and will be handled again",
        format_args!("{ended:?}"),
    );
    trial.passed()
}

/// A member that has written a dead letter, and whose handler holds a record that becomes the next.
async fn before_a_dead_letter(
    trial: &Trial,
    rule: &Rule<'_>,
    scene: &Scene,
    letters: &mut Letters,
) -> (Scripted, Member) {
    scene.produce(0, 2).await;
    let handler = Scripted::new(trial).cannot(order(0, 0)).cannot(order(0, 1)).holds(order(0, 1), 1);
    let mut member = scene.member(&handler, QUICK);
    // After this one the way to the broker is known, and a letter takes no longer than the broker does.
    member.until(rule, "the dead letter of record 0", letters.next(rule)).await;
    member.until(rule, "record 1 is handed to the handler", handler.began(order(0, 1), 1)).await;
    (handler, member)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_on_its_way_is_waited_for() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("A dead letter that is on its way at the shutdown is waited for, and its record committed");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be slowed");
    };
    let (commits, mut letters) = (scene.commits(), scene.letters());
    let (handler, mut member) = before_a_dead_letter(&trial, &rule, &scene, &mut letters).await;
    let faults = scene.kafka.faults().expect("an embedded broker");
    faults.slow(Duration::from_millis(900));
    handler.release();
    let finished = || commits.when(|now| now.get(&0) == Some(&2));
    member.until(&rule, "run waits for the broker", not_seen(finished())).await;
    member.stop();
    // Whoever does not wait for the letter gives it up now. Soon the broker has answered, and nobody could tell.
    not_seen(finished()).await;
    faults.slow(Duration::ZERO);
    member.returns_ok(&rule).await;
    let committed = commits.now().await.get(&0).copied();
    scene.kafka.produce(&scene.dead, &Record::to(0).header("last", "")).await;
    let mut written = 0;
    while letters.next(&rule).await.header_text("last").is_none() {
        written += 1;
    }
    // Where the shutdown came before the letter was sent, there is none, and nothing is committed.
    rule.holds(
        matches!((written, committed), (1, Some(2)) | (0, Some(1))),
        "one dead letter of record 1, and orders/0 = 2 is committed",
        format_args!("{written} dead letters, and {committed:?} is committed"),
    );
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_that_is_refused_then_loses_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("When the broker refuses a dead letter during the shutdown, its record stays uncommitted");
    let Some(scene) = Scene::with_faults(&trial, 1).await else {
        return trial.not_gradable("a broker that can be slowed and made to refuse records");
    };
    let (commits, mut letters) = (scene.commits(), scene.letters());
    let (handler, member) = before_a_dead_letter(&trial, &rule, &scene, &mut letters).await;
    let faults = scene.kafka.faults().expect("an embedded broker");
    faults.refuse_records();
    faults.slow(Duration::from_millis(900));
    handler.release();
    // The letter is on its way then, unless the machine is very busy.
    not_seen(commits.when(|now| now.get(&0) == Some(&2))).await;
    member.stop();
    faults.slow(Duration::ZERO);
    // Where the shutdown came before the letter was sent, there is no error.
    let ended = member.ends(&rule, "run returns after the shutdown").await;
    rule.holds(
        matches!(ended, Ok(()) | Err(RunError::DeadLetter(_))),
        "run returns Err(RunError::DeadLetter(…)), or Ok(()) if no letter was sent any more",
        format_args!("{ended:?}"),
    );
    let now = commits.now().await;
    rule.holds(
        now.get(&0) == Some(&1),
        "orders/0 = 1 is committed: record 0 is finished, record 1 is not",
        now.get(&0).map_or("nothing is committed".into(), |offset| format!("orders/0 = {offset}")),
    );
    trial.passed()
}
