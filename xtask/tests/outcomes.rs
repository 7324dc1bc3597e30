//! Every way in which a test can end, and what a check makes of it. See `fixtures/outcomes`.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::{Course, until};

/// The ends of all tests by name.
fn outcomes(verdict: &Value) -> BTreeMap<&str, &str> {
    tests(verdict).map(|test| (test["name"].as_str().unwrap(), test["outcome"].as_str().unwrap())).collect()
}

fn tests(verdict: &Value) -> impl Iterator<Item = &Value> {
    verdict["steps"].as_array().unwrap().iter().flat_map(|step| step["tests"].as_array().unwrap())
}

/// Why a test did not pass.
fn failure<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    &tests(verdict).find(|test| test["name"] == name).unwrap()["failure"]
}

#[test]
fn each_test_ends_as_it_must_and_both_formats_agree() {
    let course = Course::of("outcomes", &["outcomes"]);
    let (ran, verdict) = course.verdict(&["lab-00"]);
    ran.exits(1);
    let expected = BTreeMap::from([
        ("right::passes", "passed"),
        ("right::prints_much", "passed"),
        ("right::prints_half_a_line", "passed"),
        ("right::leaves_a_child", "passed"),
        ("right::is_ended_by_its_library", "passed"),
        ("open::todo_in_the_call", "not_implemented"),
        ("open::todo_in_a_task", "not_implemented"),
        ("open::todo_behind_grpc", "not_implemented"),
        ("open::todo_before_an_exit", "not_implemented"),
        ("wrong::breaks_a_rule", "failed"),
        ("wrong::panics_in_a_task", "failed"),
        ("wrong::panics_in_the_call", "failed"),
        ("wrong::panics_in_a_task_unseen", "passed"),
        ("crashed::aborts", "crashed"),
        ("crashed::is_ended_by_its_library_each_time", "crashed"),
        ("crashed::overflows", "crashed"),
        ("crashed::exits", "crashed"),
        ("crashed::exits_in_a_task", "crashed"),
        ("crashed::exits_in_a_thread", "crashed"),
        ("crashed::forges_a_result", "crashed"),
        ("crashed::forges_a_report", "crashed"),
    ]);
    assert_eq!(outcomes(&verdict), expected);
    each_failure_says_why(&verdict);
    the_totals_add_up(&verdict);

    // A child that a test left behind ends with the test, also when the test passed.
    let child = course.pid("child");
    until("the child is gone", || !support::runs(child));
    assert!(course.runs().is_empty(), "100 MB of output and everything else is gone");

    let text = course.xtask(&["check", "lab-00"]).exits(1).stdout;
    for step in verdict["steps"].as_array().unwrap() {
        let line = text.lines().find(|line| line.contains(step["title"].as_str().unwrap())).unwrap();
        assert!(line.contains(&format!("{}/{}", step["points"], step["points_possible"])), "{line}");
    }
    let score = format!("{} of {} points", verdict["points"], verdict["points_possible"]);
    assert!(text.contains(&score), "{score} is not in:\n{text}");
    insta::assert_snapshot!("text", without_times(&text));
}

fn each_failure_says_why(verdict: &Value) {
    let rule = failure(verdict, "wrong::breaks_a_rule");
    assert_eq!(
        (&rule["what"], &rule["expected"], &rule["seen"]),
        (&json!("Two is two"), &json!("2"), &json!("3"))
    );
    let timeline: Vec<_> =
        rule["timeline"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(timeline[0].ends_with("the suite asks for two"), "{timeline:?}");
    assert!(timeline[1].starts_with('▸') && timeline[1].ends_with("the lab says 3"), "{timeline:?}");
    assert_eq!(rule["panics"], json!([]), "the rule's own panic is not told twice");

    for (test, panic) in [
        ("wrong::panics_in_a_task", "the task fell over"),
        ("wrong::panics_in_the_call", "called `Option::unwrap()` on a `None` value"),
    ] {
        let panics = failure(verdict, test)["panics"].as_array().unwrap();
        let [said] = &panics[..] else { panic!("{test}: {panics:?}") };
        let said = said.as_str().unwrap();
        assert!(said.starts_with("labs/lab-00-outcomes/src/lib.rs:"), "the place of {test}: {said}");
        assert!(said.ends_with(panic), "{said}");
    }
    assert_eq!(failure(verdict, "wrong::panics_in_a_task")["what"], "The task does its work");

    for (test, what) in [
        ("open::todo_in_the_call", "step 2: say two"),
        ("open::todo_in_a_task", "step 2: in a task"),
        ("open::todo_behind_grpc", "step 2: find the user"),
        ("open::todo_before_an_exit", "A todo!() was reached"),
        ("crashed::aborts", "aborted"),
        ("crashed::overflows", "stack overflow"),
        ("crashed::exits", "exit code 0"),
        ("crashed::exits_in_a_task", "exit code 0"),
        ("crashed::exits_in_a_thread", "exit code 0"),
        ("crashed::forges_a_result", "exit code 0"),
        ("crashed::forges_a_report", "exit code 0"),
    ] {
        let said = failure(verdict, test)["what"].as_str().unwrap();
        assert!(said.contains(what), "{test}: {said}");
    }
    assert_eq!(failure(verdict, "crashed::exits")["output"], Value::Null, "libtest's own words say nothing");
    let output = failure(verdict, "crashed::overflows")["output"].as_str().unwrap();
    assert!(output.contains("has overflowed its stack"), "{output}");
}

fn the_totals_add_up(verdict: &Value) {
    assert_eq!(verdict["version"], 1);
    assert_eq!(verdict["outcome"], "failed");
    assert_eq!((&verdict["points"], &verdict["points_possible"]), (&json!(40), &json!(100)));
    let expected = json!({ "passed": 6, "not_implemented": 4, "failed": 3, "timed_out": 0, "crashed": 8, "not_gradable": 0 });
    assert_eq!(verdict["totals"], expected);
    let states: Vec<_> =
        verdict["steps"].as_array().unwrap().iter().map(|step| (&step["state"], &step["points"])).collect();
    assert_eq!(
        states,
        [
            (&json!("passed"), &json!(40)),
            (&json!("not_implemented"), &json!(0)),
            (&json!("failed"), &json!(0)),
            (&json!("failed"), &json!(0)),
        ]
    );
}

#[test]
fn a_test_that_never_ends_is_stopped_at_its_limit() {
    let course = Course::of("endless", &["endless"]);
    let path = "labs/lab-00-endless/lab.toml";
    course.write(path, &format!("test_seconds = 1\n{}", course.read(path)));
    course.seal("lab-00-endless");

    let (ran, verdict) = course.verdict(&["lab-00"]);
    ran.exits(1);
    let names = ["spins", "waits", "holds_its_own_lock"];
    assert_eq!(outcomes(&verdict), BTreeMap::from(names.map(|name| (name, "timed_out"))));
    let timeline = &failure(&verdict, "spins")["timeline"];
    assert!(timeline[0].as_str().unwrap().ends_with("the wheel is started"), "{timeline}");
    for test in names {
        let what = failure(&verdict, test)["what"].as_str().unwrap();
        assert!(what.starts_with("The test was still running after"), "{what}");
        let pid = course.pid(test);
        until("the test's process is gone", || !support::runs(pid));
    }
}

/// The text without what differs from run to run.
fn without_times(text: &str) -> String {
    let line = |line: &str| {
        if let Some((head, _)) = line.split_once(" points, ") {
            return format!("{head} points, N s\n");
        }
        match line.split_once('+').and_then(|(head, rest)| Some((head, rest.split_once(" ms")?))) {
            Some((head, (number, rest))) if number.parse::<u64>().is_ok() => {
                format!("{head}+N ms  {}\n", rest.trim_start())
            }
            _ => format!("{line}\n"),
        }
    };
    text.lines().map(line).collect()
}
