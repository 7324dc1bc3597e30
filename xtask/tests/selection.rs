//! A check of one step or one test: what counts, and what is remembered.

mod support;

use serde_json::{Value, json};
use support::{Course, Ran};

/// Points that a verdict names: its own, and those of its steps together.
fn points(verdict: &Value) -> [[u64; 2]; 2] {
    let of = |value: &Value| ["points", "points_possible"].map(|key| value[key].as_u64().unwrap());
    let steps = verdict["steps"].as_array().unwrap().iter().map(of);
    [of(verdict), steps.fold([0, 0], |sum, step| [sum[0] + step[0], sum[1] + step[1]])]
}

#[test]
fn a_step_that_passes_is_remembered_and_finishes_nothing() {
    let course = Course::of("steps", &["small"]);
    let (ran, verdict) = course.verdict(&["0", "--step", "1"]);
    ran.exits(0);
    assert_eq!(points(&verdict), [[30, 30]; 2]);
    assert_eq!((&verdict["learnt"], &verdict["next_lab"]), (&Value::Null, &Value::Null));
    let ran = course.xtask(&["check", "0", "--step", "1"]).exits(0).says("30 of 30 points").says("30/30");
    ran.says("Next is step 2, Two:").says("cargo xtask check lab-00 --step 2");
    assert_eq!(verdict["next_step"]["number"], 2);

    course.xtask(&["list"]).exits(0).says("30/100 points");
    course.xtask(&["progress"]).exits(0).says("✓ 1 One").says("  2 Two").says("30 of 100 points");
    course.xtask(&["next"]).exits(0).says("step 2: Two").says("cargo xtask check lab-00 --step 2");
    course.xtask(&["hint", "0"]).exits(0).says("lab-00 step 2, Two");
    course.xtask(&["compare", "0"]).exits(1).complains("has not passed yet");

    let ran = course.xtask(&["check", "0"]).exits(1).says("30 of 100 points");
    ran.says("So far so good. Next is step 2, Two:").says("Not written yet: step 2: say two");

    // What is broken later counts no more.
    course.edit("labs/lab-00-small/src/lib.rs", "    1\n", "    0\n");
    course.xtask(&["check", "0", "--step", "1"]).exits(1).says("0 of 30 points");
    course.xtask(&["list"]).exits(0).says("0/100 points");
}

#[test]
fn a_test_alone_earns_nothing_and_is_not_remembered() {
    let course = Course::of("tests", &["small"]);
    let (ran, verdict) = course.verdict(&["0", "--test", "is_one"]);
    ran.exits(0);
    assert_eq!(points(&verdict), [[0, 0]; 2]);
    assert_eq!(verdict["totals"]["passed"], 1);
    assert_eq!(verdict["steps"][0]["tests"][0]["name"], "one::is_one");
    let ran = course.xtask(&["check", "0", "--test", "is_one"]).exits(0);
    assert!(!ran.stdout.contains("points") && !ran.stdout.contains("30"), "{}", ran.stdout);
    course.xtask(&["progress"]).exits(0).says("No lab is begun yet");
}

#[test]
fn a_seed_arrives_at_the_tests_and_earns_nothing() {
    let course = Course::of("seeds", &["seeded"]);
    // One that stands in the shell must not make a part pass for the whole.
    let mut command = course.command(&["check", "0"]);
    let ran = Ran::of(command.env("LABS_SEED", "8")).exits(1).says("schedule 7 is on");
    let ran = ran.says("Again with this schedule: cargo xtask check lab-00 --seed 7");
    assert!(!ran.stdout.contains("schedule 6 is on"), "each schedule has its own history: {}", ran.stdout);

    let seen = |verdict: &Value| {
        let tests = verdict["steps"][0]["tests"].as_array().unwrap();
        let test = tests.iter().find(|test| test["name"] == "shows_its_seeds").unwrap();
        test["failure"]["seen"].clone()
    };
    let (_, verdict) = course.verdict(&["0"]);
    assert_eq!((seen(&verdict), &verdict["points_possible"]), (json!("[1, 2, 3]"), &json!(100)));
    let (ran, verdict) = course.verdict(&["0", "--seed", "7"]);
    ran.exits(1);
    assert_eq!((seen(&verdict), &verdict["points_possible"]), (json!("[7]"), &json!(0)));
    let failure = &verdict["steps"][0]["tests"][0]["failure"];
    assert_eq!((&failure["seed"], &failure["seen"]), (&json!(7), &json!("0")));

    // A schedule on which nothing fails is no proof of all the others.
    let ran = course.xtask(&["check", "0", "--seed", "4711", "--test", "doubles"]).exits(0);
    ran.says("Now all of it: cargo xtask check lab-00");
    course.xtask(&["progress"]).exits(0).says("0 of 100 points");
    course.xtask(&["check", "0", "--seed", "x"]).exits(2).complains("--seed");
    course.xtask(&["check", "--help"]).exits(0).says("--seed <N>");
}

#[test]
fn the_next_lab_is_named_when_a_lab_has_passed() {
    let course = Course::of("next", &["small", "broken"]);
    course.edit("labs/lab-00-small/src/lib.rs", "todo!(\"step 2: say two\")", "2");
    let (ran, verdict) = course.verdict(&["small"]);
    ran.exits(0);
    assert_eq!(points(&verdict), [[100, 100]; 2]);
    assert_eq!((&verdict["learnt"], &verdict["next_lab"]), (&json!("Two words."), &json!("lab-01-broken")));
    course.xtask(&["check", "0"]).exits(0).says("Two words.").says("labs/lab-01-broken/README.md");
    course.xtask(&["next"]).exits(0).says("lab-01 Broken, step 1");
    // An instructor may hand out the labs alone.
    course.xtask(&["compare", "0"]).exits(2).complains("has no solution for lab-00");
}
