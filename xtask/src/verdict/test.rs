//! One test, as a verdict tells it.

use super::Place;
use serde::Serialize;

/// One test.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Test {
    pub name: String,
    pub outcome: TestOutcome,
    pub millis: u64,
    /// Why it did not pass.
    pub failure: Option<Failure>,
    /// What its broker did not do, so that nothing can be said of the code. No verdict with steps has it.
    #[serde(skip)]
    pub unusable: Option<String>,
    /// Whether it asked for the grader's broker. If not, it would end like this on every other one.
    #[serde(skip)]
    pub asks_for_broker: bool,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    Passed,
    /// A `todo!()` was reached, in whatever thread or task.
    NotImplemented,
    Failed,
    /// It was killed at its limit.
    TimedOut,
    /// Its process ended before the test did: abort, stack overflow, signal, `exit`.
    Crashed,
    /// It needs what this broker cannot do, and says nothing of the code.
    NotGradable,
}

impl TestOutcome {
    /// Neither passed nor merely unwritten.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Crashed)
    }

    /// Nothing speaks against the code.
    pub(super) fn is_no_fault(self) -> bool {
        matches!(self, Self::Passed | Self::NotGradable)
    }
}

/// Why a test did not pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failure {
    /// One sentence: the broken rule, or what happened to the test.
    pub what: String,
    /// The step whose `todo!()` was reached.
    pub todo: Option<usize>,
    pub expected: Option<String>,
    pub seen: Option<String>,
    /// What happened in the test, one line an event.
    pub timeline: Vec<String>,
    /// The seed of the generated schedule on which it failed.
    pub seed: Option<u64>,
    /// The line of the learner's to look at: where it panicked, else where the code of the step begins.
    pub place: Option<Place>,
    /// Panics in the learner's code, with their places.
    pub panics: Vec<String>,
    /// The end of what the test printed, where nothing better is known.
    pub output: Option<String>,
}

/// How many tests ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Totals {
    pub passed: usize,
    pub not_implemented: usize,
    pub failed: usize,
    pub timed_out: usize,
    pub crashed: usize,
    pub not_gradable: usize,
}

impl Totals {
    pub fn of<'a>(tests: impl Iterator<Item = &'a Test>) -> Self {
        let mut totals = Self::default();
        for test in tests {
            *match test.outcome {
                TestOutcome::Passed => &mut totals.passed,
                TestOutcome::NotImplemented => &mut totals.not_implemented,
                TestOutcome::Failed => &mut totals.failed,
                TestOutcome::TimedOut => &mut totals.timed_out,
                TestOutcome::Crashed => &mut totals.crashed,
                TestOutcome::NotGradable => &mut totals.not_gradable,
            } += 1;
        }
        totals
    }
}
