//! A rule that a lab holds to, and how a test ends when it was broken.

use crate::{
    Event, History, Trial, bound,
    property::Violation,
    report,
    timeline::{timeline, timeline_around},
};
use std::{
    env,
    fmt::{Debug, Display, Write as _},
    path::Path,
};

/// One promise of a lab in words a learner can check their code against, such as *a Watch begins with the
/// current status*. Made by [`Trial::rule`].
#[derive(Clone, Debug)]
pub struct Rule<'a> {
    trial: &'a Trial,
    text: &'a str,
    /// What happened, for the one who reads the failure.
    history: &'a History,
    /// Of the schedule, where one was generated.
    seed: Option<u64>,
}

impl<'a> Rule<'a> {
    pub(crate) fn new(trial: &'a Trial, text: &'a str) -> Self {
        Self { trial, text, history: trial.history(), seed: None }
    }

    pub(crate) fn of_schedule(trial: &'a Trial, text: &'a str, seed: u64, history: &'a History) -> Self {
        Self { trial, text, history, seed: Some(seed) }
    }

    /// Holds when both are equal.
    ///
    /// # Panics
    /// Ends the test when they are not.
    #[track_caller]
    pub fn same<T: PartialEq + Debug>(&self, expected: T, seen: T) {
        if expected != seen {
            self.broken(format_args!("{expected:?}"), format_args!("{seen:?}"));
        }
    }

    /// Holds when the condition does. `expected` and `seen` say in words what right code does and what was seen.
    ///
    /// # Panics
    /// Ends the test when the condition is false.
    #[track_caller]
    pub fn holds(&self, condition: bool, expected: impl Display, seen: impl Display) {
        if !condition {
            self.broken(expected, seen);
        }
    }

    /// Waits for something that must happen, at most [`bound`] long, and returns what it brought.
    ///
    /// # Panics
    /// Ends the test when it did not happen; `expected` says in words what was waited for.
    pub async fn within<F: Future>(&self, expected: impl Display, future: F) -> F::Output {
        match tokio::time::timeout(bound(), future).await {
            Ok(output) => output,
            Err(_) => {
                let seen = format_args!("nothing of the kind in {} s", bound().as_secs());
                self.broken(expected, seen)
            }
        }
    }

    /// Holds when a [`property`](crate::property) of the history so far does.
    ///
    /// # Panics
    /// Ends the test when it does not. The timeline marks the event that breaks it.
    #[track_caller]
    pub fn over(&self, property: impl FnOnce(&[Event]) -> Result<(), Violation>) {
        let events = self.history.events();
        if let Err(violation) = property(&events) {
            let drawn = timeline_around(&events, violation.at);
            self.end(&violation.expected, &violation.seen, &drawn);
        }
    }

    /// Ends the test: the rule was broken.
    ///
    /// # Panics
    /// Always. The panic's text is the whole explanation, so that it reads the same under plain `cargo test`.
    #[track_caller]
    pub fn broken(&self, expected: impl Display, seen: impl Display) -> ! {
        let drawn = timeline(&self.history.events());
        self.end(&expected.to_string(), &seen.to_string(), &drawn)
    }

    #[track_caller]
    fn end(&self, expected: &str, seen: &str, timeline: &[String]) -> ! {
        let section = self.trial.section();
        let seed = self.seed;
        report::write(&report::Line::Broken { rule: self.text, expected, seen, timeline, section, seed });

        let mut text = format!("{}\n  expected  {expected}\n  seen      {seen}\n", self.text);
        for line in timeline {
            let _ = writeln!(text, "  {line}");
        }
        let _ = write!(text, "  read      README.md#{section}");
        if let Some(seed) = seed {
            let _ = write!(text, "\n{}", again(seed));
        }
        panic!("{text}");
    }
}

/// How to have a schedule again. Cargo and the grader both name the folder of the lab.
fn again(seed: u64) -> String {
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let name = Path::new(&folder).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let lab = name.get(.."lab-00".len()).filter(|short| short.starts_with("lab-")).unwrap_or("LAB");
    format!("Again with this schedule: cargo xtask check {lab} --seed {seed}")
}
