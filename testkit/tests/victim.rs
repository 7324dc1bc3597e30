//! A process that dies. Tests of a grader's view run this binary once more, as a grader runs a test of a suite.

use serde_json::Value;
use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{self, Command, Stdio},
};
use testkit::{Passed, Seen, Trial, Victim};

/// Says that [`suite`] is run by another test, and what its victim shall do.
const BEHAVIOUR: &str = "BEHAVIOUR_OF_A_VICTIM";

/// A test with a victim. Alone it just passes.
#[tokio::test]
async fn suite() -> Passed {
    let trial = Trial::start("step-5-crash");
    let rule = trial.rule("It is there");
    let behaviour = env::var(BEHAVIOUR).unwrap_or_default();
    if let Some(arguments) = Victim::arguments() {
        assert_eq!(arguments, ["a b", "\"c\"\n"]);
        println!("a line that is no message");
        trial.did("begun");
        Victim::say(&format!("here is {}", process::id()));
        match behaviour.as_str() {
            "returns" => return trial.passed(),
            "reaches a todo" => todo!("step 5: in the victim"),
            _ => std::future::pending::<()>().await,
        }
    }
    let mut victim = Victim::start(&trial, "suite", &["a b", "\"c\"\n"]);
    let said = victim.says(&rule, "a word").await;
    match behaviour.as_str() {
        "" => victim.kill(&trial),
        "is left alone" => {
            eprintln!("{said}");
            std::future::pending::<()>().await;
        }
        _ => _ = victim.says(&rule, "one word more").await,
    }
    trial.passed()
}

/// Runs the suite as a grader does; gives back the lines of its report.
fn graded(behaviour: &str) -> Vec<Value> {
    let report =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("victim-{}-{behaviour}", process::id()));
    fs::write(&report, "token of this run").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["suite", "--exact"]).env(BEHAVIOUR, behaviour).env("LABS_REPORT", &report);
    let output = command.output().unwrap();
    let text = fs::read_to_string(&report).unwrap();
    fs::remove_file(&report).unwrap();
    assert!(!text.contains("begun"), "a victim's history is not the test's: {text}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("running 1 test"), "{output:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().unwrap()).collect()
}

/// Whether a process is there.
fn lives(id: &str) -> bool {
    let asked = Command::new("sh").args(["-c", &format!("kill -0 {id}")]).stderr(Stdio::null()).status();
    asked.unwrap().success()
}

#[tokio::test]
async fn a_kill_leaves_nothing_and_stands_in_the_history() {
    let trial = Trial::start("step");
    let rule = trial.rule("It is killed");
    let mut victim = Victim::start(&trial, "suite", &["a b", "\"c\"\n"]);
    let said = victim.says(&rule, "its number").await;
    let id = said.strip_prefix("here is ").unwrap().to_owned();
    assert!(lives(&id));
    victim.kill(&trial);
    assert!(!lives(&id));
    let seen: Vec<_> = trial.history().events().into_iter().map(|event| event.seen).collect();
    let expected =
        [Seen::Did(format!("process {id} starts")), Seen::MembersChanged(format!("process {id} is killed"))];
    assert_eq!(seen, expected);

    let mut dropped = Victim::start(&trial, "suite", &["a b", "\"c\"\n"]);
    let said = dropped.says(&rule, "its number").await;
    drop(dropped);
    assert!(!lives(said.strip_prefix("here is ").unwrap()));
}

#[test]
fn a_victim_does_not_eat_the_token() {
    let lines = graded("");
    assert_eq!(events(&lines), ["happened", "happened", "finished"]);
    assert_eq!(lines[2]["token"], "token of this run");
}

#[test]
fn a_victim_that_runs_to_its_end_finishes_no_test() {
    let lines = graded("returns");
    assert_eq!(events(&lines), ["happened", "broken", "panicked"]);
    assert_eq!(lines[1]["seen"], "the process ended by itself");
}

#[test]
fn a_todo_in_a_victim_is_told_to_the_grader() {
    let lines = graded("reaches a todo");
    // It may get there before its suite has written that it starts.
    let todo = lines.iter().find(|line| line["event"] == "panicked").unwrap();
    assert_eq!(todo["message"], "not yet implemented: step 5: in the victim");
    assert!(!events(&lines).contains(&"finished"));
}

#[test]
fn a_suite_that_is_killed_leaves_no_victim() {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["suite", "--exact", "--nocapture"]).env(BEHAVIOUR, "is left alone");
    let mut suite = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(suite.stderr.take().unwrap()).lines().map_while(Result::ok);
    let id = lines.find_map(|line| line.strip_prefix("here is ").map(str::to_owned)).unwrap();
    assert!(lives(&id));
    suite.kill().unwrap();
    suite.wait().unwrap();
    // The pipe ends when the last process is gone that could write to it, and that is the victim.
    assert_eq!(lines.count(), 0);
}
