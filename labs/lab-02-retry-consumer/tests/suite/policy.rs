// Step 1: when a record is tried again. Pure functions: no broker, no clock.

use lab_02_retry_consumer::{HandlerError, Next, RetryPolicy};
use std::time::Duration;
use testkit::{Passed, Rule, Trial};

const SECTION: &str = "step-1-when-to-try-again";

const HOUR: Duration = Duration::from_secs(3600);

fn policy(max_retries: u32, retry_delay: Duration, max_delay: Duration) -> RetryPolicy {
    RetryPolicy { max_retries, retry_delay, max_delay }
}

fn transient() -> HandlerError {
    HandlerError::Transient("the bank is down".into())
}

/// Equal but for what is lost in a calculation with floating point.
fn is_about(rule: &Rule<'_>, what: &str, expected: Duration, seen: Duration) {
    let far = seen.abs_diff(expected).as_secs_f64() > expected.as_secs_f64() * 1e-6 + 2e-9;
    rule.holds(!far, format_args!("{what} is {expected:?}"), format_args!("{seen:?}"));
}

#[tokio::test]
async fn the_wait_doubles_with_every_retry() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("The longest wait is retry_delay before the first retry, and doubles with each further one");
    let policy = policy(10, Duration::from_millis(100), HOUR);
    for (retry, millis) in [(1, 100), (2, 200), (3, 400), (4, 800), (10, 51_200)] {
        let what = format!("with retry_delay 100 ms and random 1.0, delay({retry})");
        is_about(&rule, &what, Duration::from_millis(millis), policy.delay(retry, 1.0));
    }
    trial.passed()
}

#[tokio::test]
async fn no_wait_is_longer_than_the_cap() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("No wait is longer than max_delay, however many retries there were");
    let cap = Duration::from_secs(1);
    let capped = policy(100, Duration::from_millis(300), cap);
    for retry in [3, 4, 10, 33, 65, 100] {
        let what = format!("with retry_delay 300 ms, max_delay 1 s and random 1.0, delay({retry})");
        is_about(&rule, &what, cap, capped.delay(retry, 1.0));
    }
    let low = policy(3, Duration::from_secs(5), cap);
    is_about(&rule, "with retry_delay 5 s, max_delay 1 s and random 1.0, delay(1)", cap, low.delay(1, 1.0));
    trial.passed()
}

#[tokio::test]
async fn the_wait_is_spread_between_half_and_all() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The wait is the ceiling times 0.5 + random / 2: from half of it to all of it");
    let policy = policy(10, Duration::from_millis(100), Duration::from_secs(1));
    // The last two are capped: the spread comes after the cap, or all the capped ones come back together.
    for (retry, ceiling) in [(1, 100), (3, 400), (5, 1000), (9, 1000)] {
        for (random, millis) in [(0.0, ceiling / 2), (0.5, ceiling * 3 / 4), (1.0, ceiling)] {
            let what = format!("with retry_delay 100 ms and max_delay 1 s, delay({retry}, {random:?})");
            is_about(&rule, &what, Duration::from_millis(millis), policy.delay(retry, random));
        }
    }
    trial.passed()
}

#[tokio::test]
async fn nothing_overflows() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("delay answers for every retry and every duration, however large");
    trial.did("retry 4294967295, with retry_delay 100 ms and max_delay 1 s");
    let small = policy(u32::MAX, Duration::from_millis(100), Duration::from_secs(1));
    is_about(&rule, "delay", Duration::from_secs(1), small.delay(u32::MAX, 1.0));

    trial.did("every retry from 1 to 200, with retry_delay 1 ns and max_delay 30 days");
    let month = HOUR * 24 * 30;
    let tiny = policy(u32::MAX, Duration::from_nanos(1), month);
    for retry in 1..=200 {
        let ceiling =
            1_u64.checked_shl(retry - 1).map_or(month, |nanos| Duration::from_nanos(nanos).min(month));
        is_about(&rule, &format!("delay({retry}, 1.0)"), ceiling, tiny.delay(retry, 1.0));
    }
    for (random, share) in [(0.0, 0.5), (0.3, 0.65), (1.0, 1.0)] {
        trial.did(format!("Duration::MAX for both, random {random:?}"));
        let huge = policy(u32::MAX, Duration::MAX, Duration::MAX);
        let all = Duration::MAX.as_secs_f64();
        for retry in [1, 2, 40, u32::MAX] {
            let seen = huge.delay(retry, random).as_secs_f64();
            rule.holds(
                (seen / all - share).abs() < 1e-6,
                format_args!("delay({retry}, {random:?}) is {share} of Duration::MAX"),
                format_args!("{} of it", seen / all),
            );
        }
    }
    trial.did("retry_delay 0, max_delay 1 s");
    let none = policy(u32::MAX, Duration::ZERO, Duration::from_secs(1));
    for retry in [1, 40, 1100, u32::MAX] {
        is_about(&rule, &format!("delay({retry}, 1.0)"), Duration::ZERO, none.delay(retry, 1.0));
    }
    trial.did("Duration::ZERO for both");
    rule.same(Duration::ZERO, policy(3, Duration::ZERO, Duration::ZERO).delay(3, 0.5));
    trial.passed()
}

#[tokio::test]
async fn attempts_are_one_more_than_retries() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A record is handed to the handler at most 1 + max_retries times");
    for max_retries in [0, 1, 3, u32::MAX] {
        let policy = policy(max_retries, Duration::from_millis(100), Duration::from_secs(1));
        for attempt in [1, 2, 3, 4, 5, u32::MAX - 1, u32::MAX] {
            let again = attempt <= max_retries;
            let seen = policy.after(attempt, &transient(), 0.5);
            let words = if again { "tried again" } else { "given up" };
            rule.holds(
                matches!(seen, Next::Retry(_)) == again,
                format_args!("with max_retries {max_retries}, after attempt {attempt} a record is {words}"),
                format_args!("{seen:?}"),
            );
        }
    }
    trial.passed()
}

#[tokio::test]
async fn the_wait_after_an_attempt_is_that_of_its_retry() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("After attempt N comes retry N: after waits delay(N, random)");
    let policy = policy(10, Duration::from_millis(100), Duration::from_secs(1));
    for (attempt, random, millis) in
        [(1, 1.0, 100), (2, 1.0, 200), (2, 0.0, 100), (3, 0.5, 300), (6, 0.0, 500)]
    {
        let what = format!("with retry_delay 100 ms, the wait after({attempt}, …, {random:?})");
        match policy.after(attempt, &transient(), random) {
            Next::Retry(seen) => is_about(&rule, &what, Duration::from_millis(millis), seen),
            Next::GiveUp => rule.broken(format_args!("{what} is {millis} ms"), "GiveUp"),
        }
    }
    trial.passed()
}

#[tokio::test]
async fn a_permanent_error_is_given_up_at_once() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A permanent error is given up at once, and a transient one is not");
    let policy = policy(3, Duration::from_millis(100), Duration::from_secs(1));
    let permanent = HandlerError::Permanent("no JSON".into());
    for attempt in 1..=3 {
        trial.did(format!("attempt {attempt} of 4 has failed"));
        rule.same(Next::GiveUp, policy.after(attempt, &permanent, 0.5));
    }
    let seen = policy.after(1, &transient(), 0.5);
    rule.holds(matches!(seen, Next::Retry(_)), "a transient error is tried again", format_args!("{seen:?}"));
    trial.passed()
}
