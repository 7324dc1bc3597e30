//! What a grader is told. Each test runs this binary once more, as a grader runs a test of a suite.

use serde_json::{Value, json};
use std::{
    env, fs,
    path::PathBuf,
    process::{self, Command, ExitStatus},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};
use testkit::{Passed, Trial};

/// Says what [`subject`] shall do.
const BEHAVIOUR: &str = "SUBJECT_OF_A_REPORT";

/// The test that the others look at. Alone it just passes.
#[test]
fn subject() -> Passed {
    let trial = Trial::start("step-1-one");
    match env::var(BEHAVIOUR).as_deref() {
        Ok("a thread panics") => {
            let _ = thread::spawn(|| panic!("boom {}", 1)).join();
        }
        Ok("a panic without a text") => {
            let _ = thread::spawn(|| std::panic::panic_any(1)).join();
        }
        Ok("a rule is broken") => {
            trial.did("asked");
            trial.rule("One is one").same(1, 2);
        }
        Ok("an exit") => process::exit(0),
        Ok("two trials") => drop(Trial::start("step-2-two").passed()),
        _ => {}
    }
    trial.passed()
}

/// Runs the subject; gives back the lines of its report, if a grader asks for one, and how it ended.
fn run(behaviour: &str, grader: bool) -> (Vec<Value>, ExitStatus) {
    // Tests run side by side, each with a file of its own.
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("report-{}-{}", process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let report = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["subject", "--exact"]).env(BEHAVIOUR, behaviour);
    command.env_remove("LABS_REPORT");
    if grader {
        fs::write(&report, "token of this run").unwrap();
        command.env("LABS_REPORT", &report);
    }
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("running 1 test"), "{output:?}");
    let text = fs::read_to_string(&report).unwrap_or_default();
    let _ = fs::remove_file(&report);
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output.status)
}

fn finished() -> Value {
    json!({ "event": "finished", "token": "token of this run" })
}

#[test]
fn a_test_that_ran_to_its_end_gives_the_token_back() {
    let (lines, status) = run("nothing", true);
    assert_eq!(lines, [finished()]);
    assert!(status.success());
}

#[test]
fn a_test_that_did_not_run_to_its_end_keeps_the_token() {
    let (lines, status) = run("an exit", true);
    assert_eq!(lines, [] as [Value; 0]);
    assert!(status.success(), "which is why a status alone proves nothing");
}

#[test]
fn a_panic_of_any_thread_is_told_with_its_place() {
    let (lines, status) = run("a thread panics", true);
    assert!(status.success());
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!((&lines[0]["event"], &lines[0]["message"]), (&json!("panicked"), &json!("boom 1")));
    assert_eq!(lines[0]["file"], file!());
    assert!(lines[0]["line"].as_u64().unwrap() > 0);
    assert_eq!(lines[1], finished());

    let (lines, _) = run("a panic without a text", true);
    assert_eq!(lines[0]["message"], "a panic without a text");
}

#[test]
fn a_broken_rule_is_told_and_then_panics() {
    let (lines, status) = run("a rule is broken", true);
    assert!(!status.success());
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0]["event"], "happened", "told at once: a test that hangs never draws its timeline");
    assert!(lines[0]["text"].as_str().unwrap().ends_with("asked"), "{lines:?}");
    let broken = &lines[1];
    assert_eq!((&broken["event"], &broken["rule"]), (&json!("broken"), &json!("One is one")));
    assert_eq!((&broken["expected"], &broken["seen"]), (&json!("1"), &json!("2")));
    assert_eq!(broken["section"], "step-1-one");
    assert!(broken["timeline"][0].as_str().unwrap().ends_with("asked"), "{broken}");
    let message = lines[2]["message"].as_str().unwrap();
    assert!(message.starts_with("One is one\n"), "the grader knows the panic by it: {message}");
}

#[test]
fn a_value_that_is_dropped_gives_no_token() {
    let (lines, _) = run("two trials", true);
    assert_eq!(lines, [finished()], "only libtest, at the test's end, hands it over");
}

#[test]
fn without_a_grader_everything_else_is_the_same() {
    for (behaviour, succeeds) in [("nothing", true), ("a thread panics", true), ("a rule is broken", false)] {
        let (lines, status) = run(behaviour, false);
        assert!(lines.is_empty());
        assert_eq!(status.success(), succeeds, "{behaviour}");
    }
}
