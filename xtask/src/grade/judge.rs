//! What the evidence of one test says: the outcome, and why.

use super::{limits, printed::printed, report::Line};
use crate::verdict::{Backend, Failure, Place, TestOutcome};
use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

/// libtest's exit code when a test failed.
const LIBTEST_FAILED: i32 = 101;

/// How many events are shown of a test that was stopped.
const EVENTS: usize = 20;

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
    let what = crash(status, evidence.stderr);
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
            what: rule.clone(),
            expected: Some(expected.clone()),
            seen: Some(seen.clone()),
            timeline: timeline.clone(),
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
        Line::Happened { text } => Some(text.clone()),
        _ => None,
    });
    let mut lines: Vec<_> = lines.collect();
    lines.drain(..lines.len().saturating_sub(EVENTS));
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
            Some(format!("{file}:{line}: {message}"))
        }
        _ => None,
    });
    panics.collect()
}

fn output(evidence: &Evidence<'_>) -> Option<String> {
    let panics = evidence.report.iter().filter_map(|line| match line {
        Line::Panicked { message, .. } => Some(message.as_str()),
        _ => None,
    });
    printed(evidence.test, evidence.stdout, evidence.stderr, panics)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = "\nrunning 1 test\ntest a::b ... ok\n\ntest result: ok. 1 passed; 0 failed\n";

    fn finished() -> Line {
        Line::Finished { token: "t".into() }
    }

    fn panicked(message: &str) -> Line {
        Line::Panicked { message: message.into(), file: "src/lib.rs".into(), line: 7 }
    }

    fn judged(raw_status: Option<i32>, stdout: &str, report: &[Line]) -> (TestOutcome, Option<Failure>) {
        judged_on(None, raw_status, stdout, report)
    }

    fn judged_on(
        backend: Option<Backend>,
        raw_status: Option<i32>,
        stdout: &str,
        report: &[Line],
    ) -> (TestOutcome, Option<Failure>) {
        let status = raw_status.map(ExitStatus::from_raw);
        let (test, token, own) = ("a::b", "t", "src/");
        judge(&Evidence { test, status, stdout, stderr: "", report, token, limit: 60, backend, own })
    }

    fn exit(code: i32) -> Option<i32> {
        Some(code << 8)
    }

    #[test]
    fn three_witnesses_make_a_pass() {
        assert_eq!(judged(exit(0), OK, &[finished()]).0, TestOutcome::Passed);
        let printed = OK.replace("test a::b", "no line's endtest a::b");
        assert_eq!(judged(exit(0), &printed, &[finished()]).0, TestOutcome::Passed);
    }

    #[test]
    fn two_witnesses_do_not() {
        let other = Line::Finished { token: "an old one".into() };
        for (status, stdout, report) in [
            (exit(0), OK, vec![]),
            (exit(0), OK, vec![other]),
            (exit(0), "", vec![finished()]),
            (exit(0), "test a::b ... ignored", vec![finished()]),
            (exit(0), "test a::bc ... ok", vec![finished()]),
            (exit(3), OK, vec![finished()]),
            (Some(6), OK, vec![finished()]),
        ] {
            assert_eq!(
                judged(status, stdout, &report).0,
                TestOutcome::Crashed,
                "{status:?} {stdout} {report:?}"
            );
        }
        assert_eq!(judged(exit(101), OK, &[finished()]).0, TestOutcome::Failed);
        assert_eq!(judged(None, OK, &[finished()]).0, TestOutcome::TimedOut);
    }

    #[test]
    fn only_somebodys_own_kafka_may_be_unfit() {
        let report = [Line::NotGradable { why: "it cannot be made to fail".into() }, finished()];
        for (backend, expected) in [
            (Some(Backend::External), TestOutcome::NotGradable),
            (Some(Backend::Docker), TestOutcome::Failed),
            (Some(Backend::Embedded), TestOutcome::Failed),
            (None, TestOutcome::Failed),
        ] {
            let (outcome, failure) = judged_on(backend, exit(0), OK, &report);
            assert_eq!(outcome, expected, "{backend:?}");
            assert!(failure.unwrap().what.ends_with("it cannot be made to fail"));
        }
        let external = |status, report: &[Line]| judged_on(Some(Backend::External), status, OK, report).0;
        assert_eq!(external(exit(101), &report), TestOutcome::Failed, "whatever else it says");
        assert_eq!(external(exit(0), &report[..1]), TestOutcome::Crashed, "it has to come to its end");
    }

    #[test]
    fn a_todo_anywhere_is_not_implemented_however_the_test_ended() {
        let todo = panicked("not yet implemented: step 2: watch");
        for status in [exit(0), exit(101), Some(6), None] {
            let (outcome, failure) = judged(status, OK, &[todo.clone(), finished()]);
            assert_eq!(outcome, TestOutcome::NotImplemented);
            let failure = failure.unwrap();
            assert_eq!((failure.what.as_str(), failure.todo), ("Not written yet: step 2: watch", Some(2)));
        }
    }

    #[test]
    fn a_broken_rule_is_told_once_and_other_panics_with_their_places() {
        let broken = Line::Broken {
            rule: "The rule".into(),
            expected: "1".into(),
            seen: "2".into(),
            timeline: vec!["line".into()],
            section: "s".into(),
            seed: Some(4711),
        };
        let report = [panicked("boom"), broken, panicked("The rule\n  expected  1")];
        let (outcome, failure) = judged(exit(101), "", &report);
        let failure = failure.unwrap();
        assert_eq!((outcome, failure.what.as_str()), (TestOutcome::Failed, "The rule"));
        assert_eq!(failure.panics, ["src/lib.rs:7: boom"]);
        assert_eq!(failure.place, Some(Place { file: "src/lib.rs".into(), line: 7 }));
        assert_eq!(failure.seed, Some(4711));
    }

    #[test]
    fn a_broken_rule_is_told_whatever_exit_code_the_process_was_given() {
        let broken = Line::Broken {
            rule: "The rule".into(),
            expected: String::new(),
            seen: String::new(),
            timeline: Vec::new(),
            section: String::new(),
            seed: None,
        };
        for code in [0, 3] {
            let (outcome, failure) = judged(exit(code), "", std::slice::from_ref(&broken));
            assert_eq!((outcome, failure.unwrap().what.as_str()), (TestOutcome::Failed, "The rule"));
        }
        assert_eq!(judged(Some(6), "", &[broken]).0, TestOutcome::Crashed);
    }

    #[test]
    fn a_limit_that_was_met_is_told_as_such() {
        let said = |signal, stderr| crash(ExitStatus::from_raw(signal), stderr);
        assert_eq!(said(limits::WRITES_TOO_MUCH, ""), limits::WROTE_TOO_MUCH);
        let stderr = "mine\nmemory allocation of 4294967296 bytes failed\n";
        assert_eq!(said(6, stderr), limits::TOOK_TOO_MUCH);
        assert!(said(6, "mine\n").contains("aborted"));
    }

    #[test]
    fn a_panic_of_the_suites_is_no_place_of_the_learners() {
        let elsewhere =
            Line::Panicked { message: "boom".into(), file: "tests/suite/main.rs".into(), line: 1 };
        let place = |report: &[Line]| judged(exit(101), "", report).1.unwrap().place.map(|place| place.line);
        assert_eq!(place(&[elsewhere.clone(), panicked("boom")]), Some(7));
        assert_eq!(place(&[elsewhere]), None);
    }

    #[test]
    fn a_failure_that_nobody_reported_shows_the_end_of_the_output() {
        let long: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let failure = judged(exit(101), &long, &[]).1.unwrap();
        let output = failure.output.unwrap();
        assert!(output.starts_with("line 80") && output.ends_with("line 99"), "{output}");
    }
}
