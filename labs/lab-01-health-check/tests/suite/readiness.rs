// Step 3: how results are judged, and when probes run. Tokio's clock is paused: it jumps to the next moment at
// which something happens, so that minutes pass at once and always in the same way.

use crate::{
    dependency::{Answer, Fake},
    keeping::{policy, run, run_on},
    support::USERS,
};
use lab_01_health_check::{ProbePolicy, Readiness, ServingStatus, StatusBoard};
use std::time::Duration;
use testkit::{Passed, Rule, Trial};

const SECTION: &str = "step-3-readiness";

/// Judges results, written as `+` and `-`, and gives the statuses in the same way.
fn judge(policy: ProbePolicy, results: &str) -> String {
    let mut readiness = Readiness::new(policy);
    results
        .chars()
        .map(|result| if readiness.observe(result == '+') == ServingStatus::Serving { 'S' } else { 'n' })
        .collect()
}

fn judges(rule: &Rule<'_>, success: u32, failure: u32, results: &str, expected: &str) {
    let seen = judge(policy(success, failure), results);
    rule.holds(
        seen == expected,
        format_args!(
            "success_threshold {success}, failure_threshold {failure}, results {results} (+ success, - failure) \
             give {expected} (S SERVING, n NOT_SERVING)"
        ),
        &seen,
    );
}

#[tokio::test(start_paused = true)]
async fn enough_results_in_a_row_change_the_status() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("success_threshold successes make SERVING, failure_threshold failures NOT_SERVING");
    judges(&rule, 1, 1, "-+-+", "nSnS");
    judges(&rule, 1, 3, "+---+---", "SSSnSSSn");
    judges(&rule, 2, 3, "--++---++", "nnnSSSnnS");
    judges(&rule, 3, 1, "+++-+++-", "nnSnnnSn");
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn the_opposite_result_ends_a_row() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("Only results in a row count: the opposite result begins the count again from zero");
    judges(&rule, 2, 1, "+-+-+-++", "nnnnnnnS");
    judges(&rule, 1, 2, "+-+-+-+--", "SSSSSSSSn");
    judges(&rule, 2, 3, "++--+--+---", "nSSSSSSSSSn");
    // A row that changed the status is used up.
    judges(&rule, 2, 2, "++++--++++--+-+-++", "nSSSSnnSSSSnnnnnnS");
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn serving_needs_every_dependency() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A service is SERVING when every dependency is ready, otherwise NOT_SERVING");
    let seconds = |at: Duration| at.as_secs();
    let database = Fake::new(&trial, "database", move |at| match seconds(at) {
        0..2 | 8.. => Answer::Down,
        _ => Answer::Up,
    });
    let cache = Fake::new(&trial, "cache", move |at| match seconds(at) {
        4..6 => Answer::Down,
        _ => Answer::Up,
    });
    let users = run(&[&database, &cache], policy(1, 1));
    users.reads(&rule, 0.3, ServingStatus::NotServing).await;
    users.reads(&rule, 1.7, ServingStatus::NotServing).await;
    users.reads(&rule, 3.7, ServingStatus::Serving).await;
    users.reads(&rule, 5.7, ServingStatus::NotServing).await;
    users.reads(&rule, 7.7, ServingStatus::Serving).await;
    users.reads(&rule, 9.7, ServingStatus::NotServing).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_service_without_dependencies_serves() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A service that depends on nothing is SERVING, and keep_ready never returns");
    let users = run(&[], policy(2, 2));
    users.reads(&rule, 0.3, ServingStatus::Serving).await;
    users.until(1000.0).await;
    rule.holds(!users.task.is_finished(), "keep_ready still runs after 1000 s", "it has returned");
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn each_dependency_is_judged_by_itself() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Each dependency has its own row of results");
    // In each round one of the two fails, but neither fails twice in a row.
    let database = Fake::new(&trial, "database", |at| match at.as_secs() {
        0 => Answer::Up,
        odd if odd % 2 == 1 => Answer::Down,
        _ => Answer::Up,
    });
    let cache = Fake::new(&trial, "cache", |at| match at.as_secs() {
        0 => Answer::Up,
        odd if odd % 2 == 1 => Answer::Up,
        _ => Answer::Down,
    });
    let users = run(&[&database, &cache], policy(1, 2));
    for seconds in 0..10 {
        users.reads(&rule, f64::from(seconds) + 0.7, ServingStatus::Serving).await;
    }
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn probes_start_at_once_and_then_once_a_period() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The first probe starts at once, each further one a period after the one before");
    // Also one that fails: it is down already, and needs no more probes than before.
    let database = Fake::new(&trial, "database", |at| match at.as_secs() {
        3..6 => Answer::Down,
        _ => Answer::Up,
    });
    let users = run(&[&database], policy(1, 3));
    users.until(9.5).await;
    let on_time = database.starts().len() == 10
        && database
            .starts()
            .iter()
            .enumerate()
            .all(|(number, at)| near(*at, Duration::from_secs(number as u64)));
    rule.holds(
        on_time,
        "with a period of 1 s, and a database that answers at once: probes at 0 s, 1 s, 2 s … 9 s",
        database.told_starts(),
    );
    trial.passed()
}

/// Equal, but for the rounding of timers, which adds up over a row of them.
fn near(at: Duration, wanted: Duration) -> bool {
    at.abs_diff(wanted) < Duration::from_millis(200)
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_has_failed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A probe that has not answered within its timeout has failed");
    let database = Fake::new(&trial, "database", |at| match at.as_secs() {
        0 | 3..9 => Answer::Hangs,
        _ => Answer::Up,
    });
    let users = run(&[&database], policy(1, 2));
    users.reads(&rule, 2.8, ServingStatus::Serving).await;
    // One has failed by now, after 0.5 s.
    users.reads(&rule, 4.2, ServingStatus::Serving).await;
    // Two in a row, also if the second began a whole period after the end of the first.
    users.reads(&rule, 5.8, ServingStatus::NotServing).await;
    users.reads(&rule, 10.3, ServingStatus::Serving).await;
    rule.holds(database.running() == 0, "a probe whose time is over is dropped", "it still runs");
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_in_time_counts() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A probe has the whole of timeout to answer, from its own start");
    // Longer than a period, so that each probe but the first starts later than it could have.
    let database = Fake::new(&trial, "database", |_| Answer::UpAfter(Duration::from_millis(2500)));
    let patient = ProbePolicy { timeout: Duration::from_secs(3), ..policy(1, 1) };
    let users = run(&[&database], patient);
    users.reads(&rule, 2.3, ServingStatus::NotServing).await;
    for second in 3..20 {
        users.reads(&rule, f64::from(second), ServingStatus::Serving).await;
    }
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn each_probe_counts_once() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("It takes as many probes in a row as the thresholds say, from the first one on");
    let database = Fake::new(&trial, "database", |at| match at.as_secs() {
        4..6 => Answer::Down,
        _ => Answer::Up,
    });
    let users = run(&[&database], policy(3, 2));
    users.reads(&rule, 0.5, ServingStatus::NotServing).await;
    users.reads(&rule, 1.7, ServingStatus::NotServing).await;
    users.reads(&rule, 2.7, ServingStatus::Serving).await;
    users.reads(&rule, 4.7, ServingStatus::Serving).await;
    users.reads(&rule, 5.7, ServingStatus::NotServing).await;
    users.reads(&rule, 7.7, ServingStatus::NotServing).await;
    users.reads(&rule, 8.7, ServingStatus::Serving).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn not_serving_until_a_probe_has_answered() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A service is NOT_SERVING at once, until every dependency has answered a probe");
    let database = Fake::new(&trial, "database", |_| Answer::UpAfter(Duration::from_millis(400)));
    let users = run(&[&database], policy(1, 1));
    users.reads(&rule, 0.2, ServingStatus::NotServing).await;
    users.reads(&rule, 0.6, ServingStatus::Serving).await;

    let board = StatusBoard::new();
    board.set_status(USERS, ServingStatus::Serving);
    trial.did("a new loop, for users that somebody has set to SERVING before");
    let database = Fake::new(&trial, "database", |_| Answer::UpAfter(Duration::from_millis(400)));
    let users = run_on(board, &[&database], policy(1, 1));
    users.reads(&rule, 0.2, ServingStatus::NotServing).await;

    trial.did("a new loop, for users that need a cache as well");
    let cache = Fake::new(&trial, "cache", |_| Answer::Up);
    let database = Fake::new(&trial, "database", |_| Answer::UpAfter(Duration::from_millis(400)));
    let users = run(&[&cache, &database], policy(1, 1));
    users.reads(&rule, 0.2, ServingStatus::NotServing).await;
    users.reads(&rule, 0.6, ServingStatus::Serving).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_hanging_dependency_delays_no_probe() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("While dependencies hang, the others are probed in their time");
    let cache = Fake::new(&trial, "cache", |_| Answer::Hangs);
    let mail = Fake::new(&trial, "mail", |_| Answer::Hangs);
    let database = Fake::new(&trial, "database", |_| Answer::Up);
    let users =
        run(&[&cache, &mail, &database], ProbePolicy { timeout: Duration::from_millis(900), ..policy(1, 1) });
    users.until(9.5).await;
    rule.holds(
        database.starts().len() == 10,
        "the database, which answers at once, is probed each second: 10 times in 9.5 s",
        database.told_starts(),
    );
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_hanging_dependency_delays_no_result() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("While a dependency hangs, each result of another counts as soon as it is there");
    let cache = Fake::new(&trial, "cache", |at| if at.as_secs() == 0 { Answer::Up } else { Answer::Hangs });
    let database =
        Fake::new(&trial, "database", |at| if at.as_secs() == 0 { Answer::Up } else { Answer::Down });
    let slow = ProbePolicy { timeout: Duration::from_millis(900), ..policy(1, 3) };
    let users = run(&[&cache, &database], slow);
    // The database fails for the third time at 3 s, the cache at 3.9 s.
    users.reads(&rule, 2.5, ServingStatus::Serving).await;
    users.reads(&rule, 3.5, ServingStatus::NotServing).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn missed_probes_are_not_made_up_for() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("At least a period passes between the starts of two probes of one dependency");
    let slow = Duration::from_millis(3500);
    let database = Fake::new(&trial, "database", move |at| match at.as_secs() {
        0 => Answer::UpAfter(slow),
        _ => Answer::Up,
    });
    let patient = ProbePolicy { timeout: Duration::from_secs(5), ..policy(1, 1) };
    let users = run(&[&database], patient);
    users.until(9.9).await;

    let starts = database.starts();
    let period = Duration::from_secs(1);
    let slack = Duration::from_millis(5);
    let apart = starts.windows(2).all(|pair| pair[1] - pair[0] + slack >= period);
    let in_time = starts.get(1).is_some_and(|second| *second <= slow + period + slack);
    rule.holds(
        apart && in_time && starts.len() >= 5,
        "with a period of 1 s and a first probe of 3.5 s: the second probe at 3.5 s to 4.5 s, then one a second",
        database.told_starts(),
    );
    let at_once = database.most_at_once();
    rule.holds(
        at_once == 1,
        "one probe of a dependency at a time",
        format_args!("{at_once} at the same time"),
    );
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_dropped_loop_probes_no_more() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When keep_ready is dropped, its probes end with it");
    let database = Fake::new(&trial, "database", |_| Answer::Up);
    let cache = Fake::new(&trial, "cache", |at| if at.as_secs() < 2 { Answer::Up } else { Answer::Hangs });
    let users = run(&[&database, &cache], policy(1, 3));
    users.reads(&rule, 2.3, ServingStatus::Serving).await;

    users.task.abort();
    trial.did("the task of keep_ready is aborted, while a probe of the cache hangs");
    users.until(2.4).await;
    let before = database.starts().len();
    rule.holds(cache.running() == 0, "the probe of the cache is dropped", "it still runs");
    let kept = trial.rule("When keep_ready is dropped, the service keeps its last status");
    users.reads(&kept, 100.0, ServingStatus::Serving).await;
    rule.holds(
        database.starts().len() == before,
        format_args!("no more than the {before} probes of the database that there were"),
        database.told_starts(),
    );
    trial.passed()
}
