//! What programs read of a check: JUnit, GitHub's annotations, the summary of all labs.

mod support;

use serde_json::Value;
use support::{Course, Ran};

const CODE: &str = "labs/lab-00-demo-lab/src/lib.rs";
const TODO: &str = "todo!(\"step 1: add them, and say so when the sum does not fit\")";

/// A lab as an author begins it: it knows where its steps begin.
fn demo(name: &str) -> Course {
    let course = Course::empty(name);
    course.xtask(&["new-lab", "demo-lab"]).exits(0);
    course
}

/// The line, from 1, in which a text stands.
fn line_of(course: &Course, text: &str) -> usize {
    1 + course.read(CODE).lines().position(|line| line.contains(text)).unwrap()
}

#[test]
fn annotations_stand_at_the_learners_own_lines() {
    let course = demo("annotations");
    let check = |options: &[&str]| course.xtask(&[&["check", "0", "--format", "github"], options].concat());
    let at = |text: &str| format!("file={CODE},line={},title=", line_of(&course, text));

    let ran = check(&[]).exits(1).says("lab-00 Demo lab: 0 of 100 points");
    ran.says(&format!("::warning {}", at("todo!("))).says("Not written yet: step 1");

    // Wrong without a panic: the function that the step is about.
    course.edit(CODE, TODO, "Some(a.wrapping_add(b))");
    check(&[]).exits(1).says(&format!("::error {}", at("pub fn add("))).says("expected");
    // Wrong by a panic: its line.
    course.edit(CODE, "Some(a.wrapping_add(b))", "\n    None.expect(\"boom\")");
    check(&[]).exits(1).says(&format!("::error {}", at("None.expect"))).says("boom");
    course.edit(CODE, "None.expect(\"boom\")", "nothing");
    check(&[]).exits(3).says(&format!("::error {}", at("nothing"))).says("nothing was graded");
    course.edit(CODE, "nothing", "a.checked_add(b)");
    let ran = check(&[]).exits(0);
    assert!(!ran.stdout.contains("title="), "nothing to annotate: {}", ran.stdout);
    // What a learner's code prints stands between these two.
    let words: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with("::")).collect();
    let word = words[0].strip_prefix("::stop-commands::").unwrap();
    assert_eq!(words[1..], [format!("::{word}::")]);
}

#[test]
fn the_summary_of_a_job_grows_by_each_check() {
    let course = demo("summary");
    let path = course.root.join("notes/summary.md");
    for _ in 0..2 {
        let mut command = course.command(&["check", "0", "--format", "github"]);
        Ran::of(command.env("GITHUB_STEP_SUMMARY", &path)).exits(1);
    }
    assert_eq!(course.read("notes/summary.md").matches("### lab-00 Demo lab: 0 of 100 points").count(), 2);
}

#[test]
fn junit_counts_as_the_verdict_does() {
    let course = Course::of("junit", &["outcomes"]);
    let (_, verdict) = course.verdict(&["0"]);
    let xml = course.xtask(&["check", "0", "--format", "junit"]).exits(1).stdout;
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>"), "{xml}");
    let total = |name: &str| verdict["totals"][name].as_u64().unwrap() as usize;
    let failures = total("failed") + total("timed_out") + total("not_implemented");
    let all = failures + total("passed") + total("crashed");
    for (element, count) in [("testcase", all), ("failure", failures), ("error", total("crashed"))] {
        assert_eq!(xml.matches(&format!("<{element} ")).count(), count, "{element}");
    }
}

#[test]
fn all_labs_are_summed_up() {
    let course = Course::of("all", &["small", "broken"]);
    let ran = course.xtask(&["check", "--all-labs"]).exits(3);
    let ran = ran.says("All labs: 30 of 200 points").says("30/100").says("lab-01 Broken");
    let ran = ran.says("your code does not compile").says("1 of 2 steps").says("cargo xtask check lab-00");
    assert!(ran.stdout.lines().count() < 12, "a line for each lab: {}", ran.stdout);

    let ran = course.xtask(&["check", "--all-labs", "--format", "json"]).exits(3);
    let all: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&all["outcome"], &all["points"]), (&"build_error".into(), &30.into()));
    let outcomes: Vec<_> = all["labs"].as_array().unwrap().iter().map(|lab| &lab["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "build_error"]);
    let ran = course.xtask(&["check", "--all-labs", "--format", "junit"]).exits(3);
    assert_eq!(ran.stdout.matches("<testsuites>").count(), 1);
    assert!(ran.stdout.contains("lab-01-broken"), "{}", ran.stdout);
    // Each of them is remembered as if it had been checked alone.
    course.xtask(&["list"]).exits(0).says("30/100 points");

    course.xtask(&["check"]).exits(2).complains("--all-labs");
    course.xtask(&["check", "0", "--all-labs"]).exits(2).complains("--all-labs");
}
