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
        assert_eq!(judged(status, stdout, &report).0, TestOutcome::Crashed, "{status:?} {stdout} {report:?}");
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
    let elsewhere = Line::Panicked { message: "boom".into(), file: "tests/suite/main.rs".into(), line: 1 };
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
