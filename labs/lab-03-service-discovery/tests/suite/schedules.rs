// Step 2: what holds on every schedule. See `driver`.

use crate::driver::drive;
use testkit::{
    Event, History, Passed, Trial,
    property::{Violation, every_watcher_converges, no_gap, no_resurrection},
    seeds,
};

const SECTION: &str = "step-2-watches";

/// Schedules that are run, unless one is asked for.
const SCHEDULES: u64 = 100;

/// Runs every schedule and judges its history.
async fn on_each_schedule(trial: &Trial, text: &str, property: impl Fn(&[Event]) -> Result<(), Violation>) {
    for seed in seeds(SCHEDULES) {
        trial.did(format!("schedule {seed}"));
        let history = History::new();
        let rule = trial.of_schedule(text, seed, &history);
        drive(&rule, seed, &history).await;
        rule.over(&property);
    }
}

#[tokio::test(start_paused = true)]
async fn no_gap_in_what_a_watcher_is_told() -> Passed {
    let trial = Trial::start(SECTION);
    let text =
        "A snapshot first, then each change in its order: nothing left out, nothing twice, nothing older";
    on_each_schedule(&trial, text, no_gap).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn nobody_is_raised_from_the_dead() -> Passed {
    let trial = Trial::start(SECTION);
    let text = "An instance that has gone comes back only when it is registered again";
    on_each_schedule(&trial, text, no_resurrection).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn every_watcher_knows_the_truth_in_the_end() -> Passed {
    let trial = Trial::start(SECTION);
    let text = "Whatever the pace of a watcher, in the end it knows what the registry knows";
    on_each_schedule(&trial, text, every_watcher_converges).await;
    trial.passed()
}
