// Step 5: only the well are called.

use crate::{
    backend::{Backend, Said},
    caller::{Caller, with_health},
    clerk::{millis, removed, seconds},
    script::Script,
};
use proto::grpc::health::v1::health_check_response::ServingStatus;
use testkit::{Passed, Trial};
use tokio::{join, time::sleep};
use tonic::Code;

const SECTION: &str = "step-5-health";

const WELL: Said = Said::Status(ServingStatus::Serving);
const ILL: Said = Said::Status(ServingStatus::NotServing);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_that_say_serving_are_called() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An instance is called when it has said SERVING, and not before");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), with_health(seconds(5)));
    let well = Backend::with_health(&trial, "well", Said::Nothing).await;
    let ill = Backend::with_health(&trial, "ill", ILL).await;
    let silent = Backend::with_health(&trial, "silent", Said::Nothing).await;
    let unknown = Said::Status(ServingStatus::Unknown);
    let unknown = Backend::with_health(&trial, "unknown", unknown).await;
    let all = [&ill.instance, &silent.instance, &unknown.instance, &well.instance];
    let _watch = registry.knows(&rule, &all).await;
    let says_so = async {
        well.was_asked(&rule, 1).await;
        // Whoever does not wait for it has called somebody by then.
        sleep(millis(100)).await;
        well.says(WELL);
    };
    join!(caller.is_answered_by(&rule, &["well"]), says_so);
    caller.are_answered_by(&rule, &["well"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_may_fall_ill_and_recover() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An instance that is no longer SERVING gets no new call until it is SERVING again");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), with_health(seconds(5)));
    let a = Backend::with_health(&trial, "a", WELL).await;
    let b = Backend::with_health(&trial, "b", WELL).await;
    let _watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    caller.until_answered_by(&rule, &["a", "b"]).await;
    a.says(ILL);
    caller.until_spared(&rule, &a).await;
    caller.are_answered_by(&rule, &["b"]).await;
    a.says(WELL);
    caller.until_answered_by(&rule, &["a"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_are_ill_nobody_is_called() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When no instance is SERVING, a call fails with UNAVAILABLE when patience is over");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), with_health(millis(200)));
    let a = Backend::with_health(&trial, "a", ILL).await;
    let b = Backend::with_health(&trial, "b", WELL).await;
    let _watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    caller.until_answered_by(&rule, &["b"]).await;
    b.says(ILL);
    caller.until_nobody_is_found(&rule).await;
    for _ in 0..3 {
        caller.finds_nobody(&rule).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_health_service_an_instance_is_well() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("An instance that answers Watch with UNIMPLEMENTED has no health service, and is called");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), with_health(seconds(5)));
    let plain = Backend::start(&trial, "plain").await;
    let well = Backend::with_health(&trial, "well", WELL).await;
    let _watch = registry.knows(&rule, &[&plain.instance, &well.instance]).await;
    caller.until_answered_by(&rule, &["plain", "well"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_fails_says_nothing_good() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("When a Watch of its health fails, an instance is not called until another says SERVING");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), with_health(seconds(5)));
    let a = Backend::with_health(&trial, "a", WELL).await;
    let b = Backend::with_health(&trial, "b", WELL).await;
    let _watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    caller.until_answered_by(&rule, &["a", "b"]).await;
    a.says(Said::Failure(Code::Unavailable));
    caller.until_spared(&rule, &a).await;
    caller.are_answered_by(&rule, &["b"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_failed_is_opened_again() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("When a Watch of its health has failed, another one is opened after the time of retry");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), with_health(seconds(8)));
    let a = Backend::with_health(&trial, "a", Said::Failure(Code::Unavailable)).await;
    let _watch = registry.knows(&rule, &[&a.instance]).await;
    a.was_asked(&rule, 2).await;
    a.says(WELL);
    caller.is_answered_by(&rule, &["a"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_watches_the_health_of_what_was_removed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The Watch of an instance's health ends when the instance is removed");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), with_health(seconds(5)));
    let a = Backend::with_health(&trial, "a", WELL).await;
    let b = Backend::with_health(&trial, "b", WELL).await;
    let watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    caller.until_answered_by(&rule, &["a", "b"]).await;
    watch.says(removed("a"));
    a.is_watched_by(&rule, 0).await;
    b.is_watched_by(&rule, 1).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_watches_health_for_a_channel_that_is_gone() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("When the last clone of a channel is dropped, nobody watches health for it any more");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), with_health(seconds(5)));
    let a = Backend::with_health(&trial, "a", WELL).await;
    let b = Backend::with_health(&trial, "b", WELL).await;
    let _watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    caller.until_answered_by(&rule, &["a", "b"]).await;
    a.is_watched_by(&rule, 1).await;
    b.is_watched_by(&rule, 1).await;
    drop(caller);
    trial.did("the channel is dropped");
    a.is_watched_by(&rule, 0).await;
    b.is_watched_by(&rule, 0).await;
    trial.passed()
}
