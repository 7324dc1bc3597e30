//! Code that wants its test to pass, or its grader to fall. See `fixtures/hostile`.

use crate::{
    cases::{self, Case},
    support::{Course, runs},
};
use serde_json::Value;
use std::{collections::BTreeMap, net::TcpStream};

fn tests(verdict: &Value) -> BTreeMap<&str, &Value> {
    let steps = verdict["steps"].as_array().unwrap().iter();
    let tests = steps.flat_map(|step| step["tests"].as_array().unwrap());
    tests.map(|test| (test["name"].as_str().unwrap(), test)).collect()
}

#[test]
fn each_submission_gets_the_verdict_of_the_table() {
    let course = Course::of("hostile", &["hostile"]);
    let (ran, verdict) = course.verdict(&["lab-00"]);
    ran.exits(1);
    // What crashed says nothing about a mistake.
    let likely: Vec<_> = verdict["likely"].as_array().unwrap().iter().map(|likely| &likely["name"]).collect();
    assert_eq!(likely, ["breaks-it"]);
    let mut tests = tests(&verdict);
    let panics = tests["aims::at_a_readers_patience"]["failure"]["panics"].as_array().unwrap();
    assert_eq!((panics.len(), &panics[10]), (11, &"and 990 panics more".into()));
    let cases = cases::all();
    for (name, case) in cases.iter().filter_map(|case| Some((case.test.as_deref()?, case))) {
        let test = tests.remove(name).unwrap_or_else(|| panic!("{name} is no test of the fixture"));
        if case.holds_here() {
            case.is_told_by(test);
        }
    }
    for only_when_asked in ["small::removes_the_folder_of_the_run", "small::kills_the_guard"] {
        assert_eq!(tests.remove(only_when_asked).unwrap()["outcome"], "passed");
    }
    assert!(tests.is_empty(), "not in the table: {tests:?}");

    if cfg!(target_os = "linux") {
        let left = [("daemon", 1), ("bare", 1), ("lower", 1), ("many", 90), ("sessions", 90), ("orphan", 1)];
        for (name, children) in left {
            let there = course.read(&format!("notes/{name}"));
            let there: Vec<u32> = there.lines().map(|id| id.parse().unwrap()).collect();
            assert_eq!(there.len(), children, "{name}");
            assert!(!there.iter().any(|id| runs(*id)), "{name}: the check is over, and so must they be");
        }
    }
    let port = course.read("notes/port").parse().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens any more");
    assert!(course.runs().is_empty(), "and no file is left");

    course.xtask(&["check", "0", "--test", "a_marker"]).exits(0);
    for test in ["with_what_is_no_text", "at_a_readers_terminal"] {
        for format in ["text", "json", "junit", "github"] {
            let ran = course.xtask(&["check", "0", "--test", test, "--format", format]).exits(1);
            let commands = ran.stdout.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(commands, None, "{format}: nothing of {test} commands a terminal or breaks a reader");
            assert!(ran.stdout.len() < 100_000, "{format}: {test} is told at length");
        }
    }
}

/// What a test does to its run when it is asked to.
#[track_caller]
fn is_told_of_a_strike(name: &str, test: &str, shown_by: &str, code: i32) {
    let course = Course::of(name, &["hostile"]);
    let mut command = course.command(&["check", "0", "--test", test, "--format", "json"]);
    let ran = crate::support::Ran::of(command.env("FIXTURE_STRIKES", "1")).exits(code);
    let case = cases::shown_by("verdicts", shown_by);
    if case.holds_here() {
        tests(&ran.verdict()).into_values().for_each(|test| case.is_told_by(test));
    }
    assert!(course.runs().is_empty(), "no file is left");
}

#[test]
fn a_run_without_its_folder_goes_on() {
    is_told_of_a_strike("strikes", "removes_the_folder", "a_run_without_its_folder_goes_on", 1);
}

#[test]
fn a_run_without_its_guard_goes_on() {
    is_told_of_a_strike("strikes", "kills_the_guard", "a_run_without_its_guard_goes_on", 0);
}

#[test]
fn an_end_before_the_beginning_is_no_pass() {
    let course = Course::of("early", &["hostile"]);
    let mut command = course.command(&["check", "0", "--format", "json"]);
    let ran = crate::support::Ran::of(command.env("FIXTURE_EARLY", "1")).exits(1);
    let verdict = ran.verdict();
    assert_eq!(verdict["points"], 0);
    let case: Case = cases::shown_by("verdicts", "an_end_before_the_beginning_is_no_pass");
    tests(&verdict).into_values().for_each(|test| case.is_told_by(test));
}
