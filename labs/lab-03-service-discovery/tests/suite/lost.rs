// Step 4: when the registry fails, or nobody needs it any more.

use crate::{
    backend::Backend,
    caller::{Caller, patience},
    clerk::{millis, seconds, snapshot},
    script::Script,
};
use lab_03_service_discovery::BalancePolicy;
use testkit::{Passed, Trial};
use tokio::time::Instant;
use tonic::Status;

const SECTION: &str = "step-4-the-balanced-channel";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_known_stay_when_the_registry_fails() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When the registry fails, the instances that are known are still called");
    let mut registry = Script::start(&trial).await;
    // No second Watch comes about before the test is over.
    let policy = BalancePolicy { retry: seconds(60), ..patience(millis(500)) };
    let caller = Caller::new(&trial, registry.channel(), policy);
    let (a, b) = (Backend::start(&trial, "a").await, Backend::start(&trial, "b").await);
    let watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    caller.until_answered_by(&rule, &["a", "b"]).await;
    watch.fails(Status::unavailable("the registry goes away"));
    for _ in 0..30 {
        // Nothing tells a caller that the Watch has ended, since nothing may change for it. So the calls are spread over
        // a while, in which that end arrives. Right code passes at any pace.
        tokio::time::sleep(millis(5)).await;
        caller.is_answered_by(&rule, &["a", "b"]).await;
    }
    caller.until_answered_by(&rule, &["a", "b"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_snapshot_replaces_all_that_was_known() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A snapshot replaces all that was known, on the same Watch and on a new one");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(seconds(5)));
    let (a, b) = (Backend::start(&trial, "a").await, Backend::start(&trial, "b").await);
    let c = Backend::start(&trial, "c").await;
    let watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    caller.until_answered_by(&rule, &["a", "b"]).await;

    watch.says(snapshot(&[&b.instance, &c.instance]));
    caller.until_answered_by(&rule, &["c"]).await;
    caller.are_answered_by(&rule, &["b", "c"]).await;

    watch.fails(Status::unavailable("the registry goes away"));
    let _watch = registry.knows(&rule, &[&a.instance]).await;
    caller.until_answered_by(&rule, &["a"]).await;
    caller.are_answered_by(&rule, &["a"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_registry_is_asked_again_after_a_pause() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("When a Watch has ended, however it did, the next one comes after the time of retry");
    let retry = millis(150);
    let mut registry = Script::start(&trial).await;
    let policy = BalancePolicy { retry, ..patience(seconds(5)) };
    let caller = Caller::new(&trial, registry.channel(), policy);
    for round in 0..3 {
        let watch = registry.is_watched(&rule).await;
        let ended = Instant::now();
        match round {
            0 => watch.ends(),
            1 => watch.fails(Status::unavailable("no registry here")),
            _ => watch.fails(Status::internal("a bug")),
        }
        let next = registry.is_watched(&rule).await;
        let pause = next.at.saturating_duration_since(ended);
        trial.did(format!("it is watched again after {} ms", pause.as_millis()));
        // Timers count in whole milliseconds.
        rule.holds(pause + millis(2) >= retry, "at least 150 ms", format_args!("{} ms", pause.as_millis()));
        next.ends();
    }
    drop(caller);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_watches_for_a_channel_that_is_gone() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The Watch goes on while a clone of the channel lives, and ends with the last one");
    let mut registry = Script::start(&trial).await;
    let first = Caller::new(&trial, registry.channel(), patience(seconds(5)));
    let a = Backend::start(&trial, "a").await;
    let b = Backend::start(&trial, "b").await;
    let watch = registry.knows(&rule, &[&a.instance]).await;
    first.is_answered_by(&rule, &["a"]).await;
    let second = first.another();
    drop(first);
    trial.did("the channel is cloned, and the first one dropped");
    watch.says(snapshot(&[&b.instance]));
    second.until_answered_by(&rule, &["b"]).await;
    drop(second);
    trial.did("the last one is dropped");
    watch.is_closed(&rule).await;
    trial.passed()
}
