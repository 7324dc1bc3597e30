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
    let mut tests = tests(&verdict);
    let cases = cases::all();
    for (name, case) in cases.iter().filter_map(|case| Some((case.test.as_deref()?, case))) {
        let test = tests.remove(name).unwrap_or_else(|| panic!("{name} is no test of the fixture"));
        if case.holds_here() {
            case.is_told_by(test);
        }
    }
    assert!(tests.is_empty(), "not in the table: {tests:?}");

    if cfg!(target_os = "linux") {
        for (name, children) in [("daemon", 1), ("bare", 1), ("many", 90), ("sessions", 90), ("orphan", 1)] {
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
    for format in ["text", "json", "junit", "github"] {
        let ran =
            course.xtask(&["check", "0", "--test", "with_what_is_no_text", "--format", format]).exits(1);
        let commands = ran.stdout.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(
            commands, None,
            "{format}: nothing that it printed commands a terminal or breaks a reader"
        );
    }
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
