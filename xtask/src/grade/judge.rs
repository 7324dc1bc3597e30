//! What the evidence of one test says: the outcome, and why.

use super::{
    limits,
    printed::{plain, printed},
    report::Line,
};
use crate::verdict::{Backend, Failure, Place, TestOutcome};
use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

/// libtest's exit code when a test failed.
const LIBTEST_FAILED: i32 = 101;

/// How many panics are shown of one.
const PANICS: usize = 10;

/// How many events are shown of a test that was stopped.
const EVENTS: usize = 20;

/// Said when a test came to its end and libtest's report of it is not there.
const OUTPUT_LOST: &str = "The test ran to its end, but what it printed is lost: something has closed standard output or \
                           replaced its file.";

/// Said when a process ended as if all were well.
const END_UNTOLD: &str = "The process ended with exit code 0, and nobody reported the test's end: code under test has \
                          ended the process, or has removed what the test wrote.";

/// What is known of one test that has ended.
#[derive(Debug)]
pub struct Evidence<'a> {
    pub test: &'a str,
    /// `None`: killed at its limit.
    pub status: Option<ExitStatus>,
    /// The end of what its process printed.
    pub stdout: &'a str,
    pub stderr: &'a str,
    pub report: &'a [Line],
    /// What the grader handed to this process and expects back.
    pub token: &'a str,
    /// The limit in seconds, for the message.
    pub limit: u64,
    /// What kind of broker the test had, if any.
    pub backend: Option<Backend>,
    /// Where the learner's own files are, as the compiler names them.
    pub own: &'a str,
}

/// Judges one test. A test passed only if three witnesses agree: its process ended with 0, libtest reported
/// that very test as ok, and the token came back from the test's end. Each alone can be had by accident.
pub fn judge(evidence: &Evidence<'_>) -> (TestOutcome, Option<Failure>) {
    if let Some(todo) = evidence.report.iter().find_map(Line::todo) {
        let failure = Failure { place: place(evidence, |line| line.todo().is_some()), ..not_written(todo) };
        return (TestOutcome::NotImplemented, Some(failure));
    }
    let Some(status) = evidence.status else {
        let what = format!(
            "The test was still running after {} s and was stopped. Something waits for ever or loops for ever.",
            evidence.limit
        );
        return (TestOutcome::TimedOut, Some(explain(evidence, what)));
    };
    let finished = evidence.report.contains(&Line::Finished { token: evidence.token.to_owned() });
    if status.success() && finished && libtest_says_ok(evidence) {
        return evidence.report.iter().find_map(Line::not_gradable).map_or(
            (TestOutcome::Passed, None),
            |why| {
                let (outcome, what) = not_gradable(why, evidence.backend);
                (outcome, Some(Failure { what, ..Failure::default() }))
            },
        );
    }
    // Code may change the exit code after a rule was broken, for one in a destructor. What it broke says more.
    let broken = || evidence.report.iter().any(|line| matches!(line, Line::Broken { .. }));
    if status.code() == Some(LIBTEST_FAILED) || status.code().is_some() && broken() {
        return (TestOutcome::Failed, Some(failure(evidence)));
    }
    let what = if status.success() && finished {
        OUTPUT_LOST.into()
    } else if status.success() && !libtest_goes_on(evidence) {
        END_UNTOLD.into()
    } else {
        crash(status, evidence.stderr)
    };
    (TestOutcome::Crashed, Some(explain(evidence, what)))
}

/// Somebody's own Kafka cannot be made to fail. Every other broker can do all that a suite needs: there a test that
/// grades nothing would let wrong code pass.
fn not_gradable(why: &str, backend: Option<Backend>) -> (TestOutcome, String) {
    match backend {
        Some(Backend::External) => (TestOutcome::NotGradable, why.to_owned()),
        _ => (
            TestOutcome::Failed,
            format!("The suite says that this cannot be graded here, and it can: {why}"),
        ),
    }
}

/// `todo` is the text of a `todo!()`, such as `step 2: the status now, then each change of it`.
fn not_written(todo: &str) -> Failure {
    let step = todo.strip_prefix("step ").and_then(|text| text.split_once(':'));
    let what =
        if todo.is_empty() { "A todo!() was reached.".into() } else { format!("Not written yet: {todo}") };
    Failure { what, todo: step.and_then(|(number, _)| number.parse().ok()), ..Failure::default() }
}

/// libtest prints its line in one piece, but code that prints without a line's end may stand before it.
fn libtest_says_ok(evidence: &Evidence<'_>) -> bool {
    let ok = format!("test {} ... ok", evidence.test);
    evidence.stdout.lines().any(|line| line.ends_with(&ok))
}

/// The last that it said is that the test began.
fn libtest_goes_on(evidence: &Evidence<'_>) -> bool {
    evidence.stdout.contains("running 1 test") && !libtest_says_ok(evidence)
}

fn crash(status: ExitStatus, stderr: &str) -> String {
    let (asked, failed) = limits::NO_MEMORY;
    let no_memory = |line: &str| line.starts_with(asked) && line.ends_with(failed);
    match (status.signal(), status.code()) {
        (Some(limits::WRITES_TOO_MUCH), _) => limits::WROTE_TOO_MUCH.into(),
        (Some(6), _) if stderr.lines().any(no_memory) => limits::TOOK_TOO_MUCH.into(),
        (Some(6), _) => {
            "The test's process was aborted: `abort`, a panic while panicking, or a stack overflow.".into()
        }
        (Some(11 | 10), _) => {
            "The test's process accessed memory that is not its own (a segmentation fault).".into()
        }
        (Some(9), _) => "The test's process was killed, perhaps because memory ran out.".into(),
        (Some(signal), _) => format!("The test's process was ended by signal {signal}."),
        (None, Some(code)) => {
            format!(
                "The process ended with exit code {code} before the test did. Code under test must not end it."
            )
        }
        (None, None) => "The test's process ended in an unknown way.".into(),
    }
}

fn failure(evidence: &Evidence<'_>) -> Failure {
    let broken = evidence.report.iter().find_map(|line| match line {
        Line::Broken { rule, expected, seen, timeline, seed, .. } => Some(Failure {
            what: plain(rule),
            expected: Some(plain(expected)),
            seen: Some(plain(seen)),
            timeline: timeline.iter().map(|line| plain(line)).collect(),
            seed: *seed,
            place: place(evidence, |_| true),
            panics: panics(evidence),
            output: output(evidence),
            ..Failure::default()
        }),
        _ => None,
    });
    broken.unwrap_or_else(|| explain(evidence, "The test panicked.".into()))
}

/// A failure of which no rule tells: what happened, the panics and the output have to.
fn explain(evidence: &Evidence<'_>, what: String) -> Failure {
    let (panics, output) = (panics(evidence), output(evidence));
    let place = place(evidence, |_| true);
    Failure { what, timeline: happened(evidence), place, panics, output, ..Failure::default() }
}

/// The first line of the learner's own that panicked in a certain way.
fn place(evidence: &Evidence<'_>, wanted: impl Fn(&Line) -> bool) -> Option<Place> {
    evidence.report.iter().filter(|line| wanted(line)).find_map(|line| match line {
        Line::Panicked { file, line, .. } if file.starts_with(evidence.own) => {
            Some(Place { file: file.clone(), line: *line })
        }
        _ => None,
    })
}

/// The last things that happened in a test that could not draw its timeline itself.
fn happened(evidence: &Evidence<'_>) -> Vec<String> {
    let lines = evidence.report.iter().filter_map(|line| match line {
        Line::Happened { text } => Some(text.as_str()),
        _ => None,
    });
    let lines: Vec<_> = lines.collect();
    let last = &lines[lines.len().saturating_sub(EVENTS)..];
    let mut lines: Vec<_> = last.iter().map(|line| plain(line)).collect();
    if let Some(last) = lines.last_mut().filter(|last| last.starts_with(' ')) {
        last.replace_range(..1, "▸");
    }
    lines
}

/// The panics, less the one by which a broken rule ends its test.
fn panics(evidence: &Evidence<'_>) -> Vec<String> {
    let rules = evidence.report.iter().filter_map(|line| match line {
        Line::Broken { rule, .. } => Some(rule.as_str()),
        _ => None,
    });
    let rules: Vec<_> = rules.collect();
    let panics = evidence.report.iter().filter_map(|line| match line {
        Line::Panicked { message, file, line } if !rules.iter().any(|rule| message.starts_with(rule)) => {
            Some((file, line, message))
        }
        _ => None,
    });
    let panics: Vec<_> = panics.collect();
    let first = panics.iter().take(PANICS);
    let told = first.map(|(file, line, message)| plain(&format!("{file}:{line}: {message}")));
    let more = panics.len().saturating_sub(PANICS);
    told.chain((more > 0).then(|| format!("and {more} panics more"))).collect()
}

fn output(evidence: &Evidence<'_>) -> Option<String> {
    let panics = evidence.report.iter().filter_map(|line| match line {
        Line::Panicked { message, .. } => Some(message.as_str()),
        _ => None,
    });
    printed(evidence.test, evidence.stdout, evidence.stderr, panics)
}

#[cfg(test)]
mod tests;
