//! What a check says. One versioned type: every format is a rendering of it.

use crate::{
    course::{Lab, manifest::Manifest},
    exit::Exit,
};
use serde::Serialize;

/// Raised when a field is removed or changes its meaning; a new field does not raise it.
pub const VERSION: u32 = 1;

/// The whole result of one check.
#[derive(Debug, Serialize)]
pub struct Verdict {
    pub version: u32,
    /// Such as `lab-01-health-check`.
    pub lab: String,
    pub title: String,
    pub outcome: Outcome,
    /// Points of the steps that passed.
    pub points: u32,
    /// Points of the steps that were graded; of all steps, when nothing could be.
    pub points_possible: u32,
    /// How many tests ended in which way.
    pub totals: Totals,
    /// The Kafka that the tests talked to, where the lab needs one.
    pub broker: Option<Broker>,
    /// The graded steps in order. Empty when nothing was graded.
    pub steps: Vec<Step>,
    /// The mistakes that the failures look like, the likeliest first.
    pub likely: Vec<Likely>,
    /// Why nothing, or not everything, was graded.
    pub problem: Option<Problem>,
    /// Said when the whole lab passed.
    pub learnt: Option<String>,
    /// The first step that has not passed, when only a part of the lab was graded and passed.
    pub next_step: Option<NextStep>,
    /// The lab that comes next, when the whole lab passed.
    pub next_lab: Option<String>,
    /// How much slower than a common machine this one was, 1.0 or more: every limit was multiplied by it.
    pub time_scale: f64,
    /// Whole check, build included, in milliseconds.
    pub millis: u64,
    /// Its tests alone, in milliseconds.
    pub tests_millis: u64,
}

/// The Kafka that tests talk to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broker {
    pub backend: Backend,
    /// Where it is. None for one that is embedded in each test's process.
    pub bootstrap: Option<String>,
    /// What its container was made of, where that is known.
    pub image: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// A cluster in each test's process: librdkafka's own, made for tests.
    Embedded,
    /// Apache Kafka in a container.
    Docker,
    /// Somebody's own Kafka.
    External,
}

impl Backend {
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Docker => "docker",
            Self::External => "external",
        }
    }
}

/// A step to go on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextStep {
    pub number: usize,
    pub title: String,
    /// As in [`Step`].
    pub readme: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Failed,
    BuildError,
    Infrastructure,
    LabBroken,
}

impl Outcome {
    pub fn exit(self) -> Exit {
        match self {
            Self::Passed => Exit::Passed,
            Self::Failed => Exit::Failed,
            Self::BuildError => Exit::BuildError,
            Self::Infrastructure => Exit::Infrastructure,
            Self::LabBroken => Exit::LabBroken,
        }
    }
}

/// One step of the lab.
#[derive(Debug, Serialize)]
pub struct Step {
    /// From 1.
    pub number: usize,
    pub title: String,
    pub state: State,
    pub points: u32,
    pub points_possible: u32,
    /// The README's section, from the course's root, with its anchor.
    pub readme: String,
    pub tests: Vec<Test>,
}

/// What the tests of a step say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Every test passed.
    Passed,
    /// Some test failed, timed out or crashed.
    Failed,
    /// No test failed, and some reached a `todo!()`.
    NotImplemented,
    /// No test could be graded on this broker.
    NotGradable,
}

impl State {
    pub fn of(tests: &[Test]) -> Self {
        let are = |outcome| move |test: &Test| test.outcome == outcome;
        if tests.iter().all(are(TestOutcome::NotGradable)) {
            Self::NotGradable
        } else if tests.iter().all(|test| test.outcome.is_no_fault()) {
            Self::Passed
        } else if tests.iter().any(|test| test.outcome.is_failure()) {
            Self::Failed
        } else {
            Self::NotImplemented
        }
    }
}

/// One test.
#[derive(Clone, Debug, Serialize)]
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
    fn is_no_fault(self) -> bool {
        matches!(self, Self::Passed | Self::NotGradable)
    }
}

/// Why a test did not pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// Panics in the learner's code, with their places.
    pub panics: Vec<String>,
    /// The end of what the test printed, where nothing better is known.
    pub output: Option<String>,
}

/// How many tests ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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

/// A mistake that fails the same tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Likely {
    pub name: String,
    pub says: String,
}

/// Why nothing, or not everything, was graded, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub what: String,
    /// The compiler's own words, or a tool's.
    pub details: Vec<String>,
    pub next: String,
}

impl Verdict {
    /// A verdict before anything was graded.
    pub fn empty(lab: &Lab, manifest: &Manifest) -> Self {
        Self {
            version: VERSION,
            lab: lab.name.clone(),
            title: manifest.title.clone(),
            outcome: Outcome::Failed,
            points: 0,
            points_possible: manifest.points(),
            totals: Totals::default(),
            broker: None,
            steps: Vec::new(),
            likely: Vec::new(),
            problem: None,
            learnt: None,
            next_step: None,
            next_lab: None,
            time_scale: 1.0,
            millis: 0,
            tests_millis: 0,
        }
    }

    /// Nothing can be graded.
    pub fn stop(&mut self, outcome: Outcome, problem: Problem) {
        self.outcome = outcome;
        self.problem = Some(problem);
    }

    /// Takes in the graded steps. Points count only where every test of a step was run.
    pub fn fill(&mut self, steps: Vec<Step>, whole_steps: bool) {
        self.steps = steps;
        if !whole_steps {
            self.steps.iter_mut().for_each(|step| (step.points, step.points_possible) = (0, 0));
        }
        self.points = self.steps.iter().map(|step| step.points).sum();
        self.points_possible = self.steps.iter().map(|step| step.points_possible).sum();
        self.totals = Totals::of(self.tests());
        let passed = self.steps.iter().all(|step| matches!(step.state, State::Passed | State::NotGradable));
        self.outcome = if passed { Outcome::Passed } else { Outcome::Failed };
        if self.steps.iter().all(|step| step.state == State::NotGradable) {
            // Neither a pass nor a failure: nothing is known.
            let details = self
                .tests()
                .filter_map(|test| Some(format!("{}: {}", test.name, test.failure.as_ref()?.what)));
            let problem = Problem {
                what: "nothing of this can be graded on this broker; this is not about your code".into(),
                details: details.collect(),
                next: format!(
                    "To grade it: cargo xtask check {} --broker embedded",
                    self.lab.get(.."lab-00".len()).unwrap_or(&self.lab)
                ),
            };
            self.stop(Outcome::Infrastructure, problem);
        }
    }

    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.steps.iter().flat_map(|step| &step.tests)
    }

    /// Nothing is written yet, and nothing is wrong either.
    pub fn is_untouched(&self) -> bool {
        !self.steps.is_empty()
            && self.steps.iter().all(|step| step.state == State::NotImplemented)
            && self.totals.passed == 0
    }
}
