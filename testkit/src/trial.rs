//! One run of one test.

use crate::{History, Rule, report, timeline};
use std::process::{ExitCode, Termination};

/// One run of one test: its history, its rules, and the proof that it ran to its end.
///
/// Starting one also begins to report panics to the grader, so it is the first line of every test.
#[derive(Clone, Debug)]
pub struct Trial {
    section: &'static str,
    history: History,
}

impl Trial {
    /// Begins a test. `section` is the anchor of the README's section that explains what is tested.
    pub fn start(section: &'static str) -> Self {
        report::report_panics();
        let history = History::new();
        if report::is_read() {
            history
                .tell(|event| report::write(&report::Line::Happened { text: &timeline::line(" ", event) }));
        }
        Self { section, history }
    }

    /// A rule that this test holds the lab to. The text is the first line that a learner reads when it is broken.
    pub fn rule<'a>(&'a self, text: &'a str) -> Rule<'a> {
        Rule::new(self, text)
    }

    /// A rule that a generated schedule holds the lab to. What happens on it stands in a history of its own, which the
    /// failure draws; it also says how to have this schedule again.
    pub fn of_schedule<'a>(&'a self, text: &'a str, seed: u64, history: &'a History) -> Rule<'a> {
        Rule::of_schedule(self, text, seed, history)
    }

    /// What was seen so far. Record in it what the suite does itself: a learner reads it in order.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Notes something that the suite does now, such as *the database goes down*.
    pub fn did(&self, what: impl Into<String>) {
        self.history.did(what);
    }

    /// The README's section.
    pub(crate) fn section(&self) -> &'static str {
        self.section
    }

    /// Ends the test without a judgement: what it needs cannot be had from this broker. The grader takes that only
    /// from a test on a cluster that is not its own.
    pub fn not_gradable(self, why: &str) -> Passed {
        report::write(&report::Line::NotGradable { why });
        self.passed()
    }

    /// Ends the test well.
    pub fn passed(self) -> Passed {
        Passed { _only_from_a_trial: () }
    }
}

/// What every test of a suite returns. libtest asks it for the test's result after the test's last line, and
/// only then is the token handed to the grader: a test that left early, by `process::exit` or otherwise, has
/// not passed.
#[derive(Debug)]
#[must_use = "a test that does not return it has not passed"]
pub struct Passed {
    _only_from_a_trial: (),
}

impl Termination for Passed {
    fn report(self) -> ExitCode {
        report::finished();
        ExitCode::SUCCESS
    }
}
