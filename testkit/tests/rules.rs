//! How a rule ends a test, and how long it waits before.

use std::{future, panic};
use testkit::{History, Trial, bound};

/// The text of the panic that this ends with.
fn panic_of(broken: impl FnOnce()) -> String {
    let payload = panic::catch_unwind(panic::AssertUnwindSafe(broken)).expect_err("the rule is broken");
    *payload.downcast::<String>().expect("a text")
}

#[test]
fn a_rule_that_holds_says_nothing() {
    let trial = Trial::start("step");
    trial.rule("One is one").same(1, 1);
    trial.rule("One is one").holds(true, "", "");
    assert!(trial.history().events().is_empty());
}

#[test]
fn a_broken_rule_explains_itself_without_a_grader() {
    let trial = Trial::start("step-1-one");
    trial.did("asked");
    let text = panic_of(|| trial.rule("One is one").same(1, 2));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..3], ["One is one", "  expected  1", "  seen      2"]);
    assert!(lines[3].starts_with("  ▸ +") && lines[3].ends_with("asked"), "{text}");
    assert_eq!(lines[4..], ["  read      README.md#step-1-one"]);
}

#[test]
fn a_rule_of_a_schedule_draws_its_history_and_says_how_to_have_it_again() {
    let trial = Trial::start("step-1-one");
    trial.did("on another schedule");
    let history = History::new();
    history.did("asked");
    let text = panic_of(|| trial.of_schedule("One is one", 4711, &history).same(1, 2));
    assert!(text.contains("asked") && !text.contains("another"), "{text}");
    let last = text.lines().last();
    // Of the testkit itself: in a lab it is the lab's name that stands here.
    assert_eq!(last, Some("Again with this schedule: cargo xtask check LAB --seed 4711"));
}

#[test]
fn a_broken_rule_is_placed_where_it_was_asked() {
    let trial = Trial::start("step");
    let (sender, receiver) = std::sync::mpsc::channel();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let _ = sender.send(info.location().map(|place| (place.file().to_owned(), place.line())));
    }));
    let line = line!() + 1;
    panic_of(|| trial.rule("One is one").holds(false, "one", "two"));
    panic::set_hook(before);
    // Other tests of this file may panic meanwhile: this one is among them.
    let places: Vec<_> = receiver.try_iter().flatten().collect();
    assert!(places.contains(&(file!().to_owned(), line)), "{places:?}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_time_is_returned_and_what_never_comes_ends_the_test() {
    let trial = Trial::start("step");
    let rule = trial.rule("The answer comes");
    let just_in_time = async {
        tokio::time::sleep(bound() - std::time::Duration::from_millis(1)).await;
        42
    };
    assert_eq!(rule.within("an answer", just_in_time).await, 42);

    let began = tokio::time::Instant::now();
    let waiting = Trial::start("step");
    let never = tokio::spawn(async move {
        waiting.rule("The answer comes").within("an answer", future::pending::<()>()).await;
    });
    let text = *never.await.unwrap_err().into_panic().downcast::<String>().unwrap();
    // Nobody but this test moves the clock: it shows the bound to the millisecond.
    assert_eq!(began.elapsed().as_secs(), bound().as_secs());
    let seen = format!("nothing of the kind in {} s", bound().as_secs());
    assert!(text.starts_with("The answer comes\n  expected  an answer\n"), "{text}");
    assert!(text.contains(&seen), "{text}");
}
