// Step 4: where calls go.

use crate::{
    backend::{Backend, SLOW, SLOWNESS},
    caller::{Caller, in_words, patience},
    clerk::{added, instance, millis, removed, seconds},
    script::{Script, channel},
};
use lab_03_service_discovery::Instance;
use std::{collections::BTreeSet, net::SocketAddr};
use testkit::{Passed, Trial};
use tokio::join;

const SECTION: &str = "step-4-the-balanced-channel";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_to_the_service_that_was_asked_for() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The channel watches its service in the registry, and calls an instance of it");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(seconds(5)));
    let a = Backend::start(&trial, "a").await;
    let watch = registry.knows(&rule, &[&a.instance]).await;
    rule.same("users.v1.UserService", watch.service.as_str());
    caller.is_answered_by(&rule, &["a"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_spread_over_all_instances() -> Passed {
    const CALLS: usize = 300;
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("Each live instance gets some of the calls, also when each call has a clone of its own");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(seconds(5)));
    let (a, b) = (Backend::start(&trial, "a").await, Backend::start(&trial, "b").await);
    let c = Backend::start(&trial, "c").await;
    let watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    watch.says(added(&c.instance));

    let mut answered = BTreeSet::new();
    for _ in 0..CALLS {
        answered.insert(caller.is_answered_by(&rule, &["a", "b", "c"]).await);
        if answered.len() == 3 {
            break;
        }
    }
    let seen = format!("only from {answered:?}");
    rule.holds(answered.len() == 3, format_args!("answers from a, b and c in {CALLS} calls"), seen);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_removed_is_called_no_more() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An instance that was removed gets no new call");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(seconds(5)));
    let (a, b) = (Backend::start(&trial, "a").await, Backend::start(&trial, "b").await);
    let c = Backend::start(&trial, "c").await;
    let watch = registry.knows(&rule, &[&a.instance, &b.instance]).await;
    caller.until_answered_by(&rule, &["a", "b"]).await;

    watch.says(removed("a"));
    watch.says(added(&c.instance));
    caller.until_answered_by(&rule, &["c"]).await;
    trial.did("c has answered: so a, which was removed before, gets no more calls");
    caller.are_answered_by(&rule, &["b", "c"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_address_takes_the_place_of_the_old_one() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("An instance that has another address is called there, and no longer at the old one");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(seconds(5)));
    let (old, new) = (Backend::start(&trial, "old").await, Backend::start(&trial, "new").await);
    let watch = registry.knows(&rule, &[&Instance { id: "a".into(), ..old.instance.clone() }]).await;
    caller.until_answered_by(&rule, &["old"]).await;
    watch.says(added(&Instance { id: "a".into(), ..new.instance.clone() }));
    caller.until_answered_by(&rule, &["new"]).await;
    caller.are_answered_by(&rule, &["new"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_instance_a_call_fails_in_time() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that finds no live instance fails with UNAVAILABLE when patience is over");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(millis(200)));
    let watch = registry.knows(&rule, &[]).await;
    caller.finds_nobody(&rule).await;

    let a = Backend::start(&trial, "a").await;
    watch.says(added(&a.instance));
    caller.until_answered_by(&rule, &["a"]).await;
    watch.says(removed("a"));
    caller.until_nobody_is_found(&rule).await;

    trial.did("another channel, whose registry does not listen");
    let nowhere = channel(SocketAddr::from(([127, 0, 0, 1], 1)));
    Caller::new(&trial, nowhere, patience(millis(200))).finds_nobody(&rule).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_waits_for_an_instance() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that finds no live instance waits for one, as long as patience lasts");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(seconds(8)));
    let a = Backend::start(&trial, "a").await;
    let watch = registry.knows(&rule, &[]).await;
    let coming = async {
        // From outside nobody sees when a call begins to wait, so there is no event to wait for. Right code passes
        // however long this takes; after it, a call that does not wait has failed.
        tokio::time::sleep(millis(400)).await;
        watch.says(added(&a.instance));
    };
    join!(caller.is_answered_by(&rule, &["a"]), coming);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patience_is_for_the_wait_and_not_for_the_call() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that has found its instance takes as long as it takes");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(millis(300)));
    let a = Backend::start(&trial, "a").await;
    let _watch = registry.knows(&rule, &[&a.instance]).await;
    caller.until_answered_by(&rule, &["a"]).await;
    trial.did(format!("a call is made that takes {SLOWNESS:?}; patience is 300 ms"));
    let answer = caller.calls(&rule, SLOW).await;
    let seen = answer.as_ref().map_or_else(in_words, |name| format!("an answer of {name}"));
    rule.holds(answer.is_ok(), "an answer of a", seen);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_none_harms_nobody() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An instance whose address cannot be used is left out, and harms no other");
    let mut registry = Script::start(&trial).await;
    let caller = Caller::new(&trial, registry.channel(), patience(seconds(5)));
    let (a, b) = (Backend::start(&trial, "a").await, Backend::start(&trial, "b").await);
    let broken = Instance { address: "no address at all".into(), ..instance("broken", 1) };
    let watch = registry.knows(&rule, &[&broken, &a.instance]).await;
    caller.is_answered_by(&rule, &["a"]).await;
    watch.says(added(&Instance { id: "worse".into(), ..broken }));
    watch.says(removed("broken"));
    watch.says(added(&b.instance));
    caller.until_answered_by(&rule, &["b"]).await;
    caller.are_answered_by(&rule, &["a", "b"]).await;
    trial.passed()
}
