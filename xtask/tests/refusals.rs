//! When a check grades nothing: the exit code says whose matter it is, and the message what to type next.

mod support;

use serde_json::json;
use std::{fs, process};
use support::{Course, Ran};

const LABS: [&str; 3] = ["small", "broken", "disagrees"];

#[test]
fn a_slip_of_the_fingers_is_a_usage_error() {
    let course = Course::of("usage", &LABS);
    for (arguments, what, next) in [
        (&["check", "brokn"][..], "there is no lab \"brokn\"", "Did you mean lab-01-broken?"),
        (&["hint", "lab-77"], "there is no lab \"lab-77\"", "cargo xtask list"),
        (&["check", "lab-"], "could be lab-00-small or lab-01-broken", "Type more of the name"),
        (&["check", "0", "--step", "3"], "there is no step 3 in Small", "1 to 2"),
        (&["check", "0", "--step", "0"], "there is no step 0 in Small", "1 to 2"),
        (&["check", "0", "--test", "three"], "no test of lab-00 has \"three\"", "labs/lab-00-small/lab.toml"),
        (&["check", "0", "--step", "2", "--test", "is_one"], "no test of step 2 of lab-00", "lab.toml"),
        (&["hint", "0", "--step", "9"], "there is no step 9 in Small", "1 to 2"),
        (&["check"], "LAB", "Usage: cargo xtask check"),
        (&["chek", "0"], "unrecognized subcommand 'chek'", "check"),
        (&["check", "0", "--format", "xml"], "invalid value 'xml'", "json"),
        (&["compare"], "LAB", "Usage: cargo xtask compare"),
        (&["verify", "--brokr", "docker"], "unexpected argument '--brokr'", "--broker"),
    ] {
        let ran = course.xtask(arguments).exits(2).complains(what).complains(next);
        assert_eq!(ran.stdout, "", "{arguments:?}: only a verdict goes to standard output");
    }
}

#[test]
fn outside_the_course_nothing_is_guessed() {
    let course = Course::of("outside", &["small"]);
    let mut command = course.command(&["list"]);
    let ran = Ran::of(command.current_dir("/"));
    ran.exits(2).complains("/ is not inside the labs").complains("Go to the folder that you cloned");
    let inside = Ran::of(course.command(&["list"]).current_dir(course.root.join("labs/lab-00-small/src")));
    inside.exits(0).says("lab-00-small");
}

#[test]
fn help_tells_the_exit_codes() {
    let course = Course::of("help", &["small"]);
    for arguments in [&["--help"][..], &["check", "--help"], &["bench", "--help"]] {
        let ran = course.xtask(arguments).exits(0);
        for code in ["0  passed", "1  failed", "2  usage", "3  build error", "4  infra", "5  lab broken"] {
            assert!(ran.stdout.contains(code), "{code} is not in:\n{}", ran.stdout);
        }
    }
}

#[test]
fn code_that_does_not_compile_gets_the_compilers_own_words() {
    let course = Course::of("build", &LABS);
    let ran = course.xtask(&["check", "broken"]).exits(3).says("does not compile");
    let ran = ran.says("error[E0308]: mismatched types").says("labs/lab-01-broken/src/lib.rs:4:5");
    ran.says("cargo xtask check lab-01");
    let again = ["--step", "1", "--test", "is_one", "--broker", "embedded", "--seed", "3"];
    let ran = course.xtask(&[&["check", "broken"][..], &again].concat()).exits(3);
    ran.says(&format!("then check again: cargo xtask check lab-01 {}", again.join(" ")));

    let (ran, verdict) = course.verdict(&["broken"]);
    ran.exits(3);
    assert_eq!((&verdict["outcome"], &verdict["steps"]), (&json!("build_error"), &json!([])));
    assert_eq!((&verdict["points"], &verdict["points_possible"]), (&json!(0), &json!(100)));
    course.xtask(&["progress"]).exits(0).says("No lab is begun yet");

    course.write("labs/lab-01-broken/src/lib.rs", "pub fn one( -> u32 { 1 }\n");
    course.xtask(&["check", "1"]).exits(3).says("error: this file contains an unclosed delimiter");

    course.write("labs/lab-01-broken/src/lib.rs", "pub fn uno() -> u32 { 1 }\n");
    let ran = course.xtask(&["check", "1"]).exits(3).says("cannot find function `one`");
    ran.says("a name, a type or a signature which the suite uses was changed");

    course.write("labs/lab-01-broken/Cargo.toml", "[package\n");
    course.xtask(&["check", "1"]).exits(3).says("labs/lab-01-broken/Cargo.toml");
}

#[test]
fn a_suite_and_a_manifest_that_disagree_grade_nobody() {
    let course = Course::of("disagree", &LABS);
    let ran = course.xtask(&["check", "disagrees"]).exits(5);
    let ran = ran.says("do not name the same tests").says("is_gone: named in lab.toml, not in the suite");
    ran.says("is_new: in the suite, not named in lab.toml");
}

#[test]
fn a_changed_suite_grades_nobody() {
    let course = Course::of("changed", &["small"]);
    let suite = "labs/lab-00-small/tests/suite/main.rs";
    let mend = "cargo xtask reset lab-00 --tests";
    course.edit(suite, ".same(2, lab::two())", ".same(1, 1)");
    course.xtask(&["check", "0"]).exits(5).says(suite).says(mend);
    let (ran, verdict) = course.verdict(&["0"]);
    ran.exits(5);
    assert_eq!((&verdict["outcome"], &verdict["points"]), (&json!("lab_broken"), &json!(0)));
    assert_eq!(verdict["problem"]["details"], json!([suite]));

    fs::remove_file(course.root.join(suite)).unwrap();
    course.xtask(&["check", "0"]).exits(5).says(suite).says(mend);

    course.write("labs/lab-00-small/lab.toml", "title = 1");
    course.xtask(&["check", "0"]).exits(5).says("labs/lab-00-small/lab.toml").says(mend);
    course.xtask(&["hint", "0"]).exits(5).complains(mend);

    fs::remove_file(course.root.join("labs/lab-00-small/suite.sums")).unwrap();
    course.xtask(&["check", "0"]).exits(5).says("suite.sums").says(mend);
}

#[test]
fn another_file_in_the_place_of_the_suite_is_refused() {
    let course = Course::of("another-suite", &["small"]);
    course.write("labs/lab-00-small/tests/mine.rs", "#[test]\nfn one_is_one() {}\n");
    let manifest = course.read("labs/lab-00-small/Cargo.toml");
    let redirect = "\n[[test]]\nname = \"suite\"\npath = \"tests/mine.rs\"\n";
    course.write("labs/lab-00-small/Cargo.toml", &format!("{manifest}{redirect}"));
    course.xtask(&["check", "0"]).exits(5).says("tests/mine.rs").says("[[test]]");
}

#[test]
fn a_failing_machine_is_not_the_learners_fault() {
    let course = Course::of("machine", &["small"]);
    let mut no_cargo = course.command(&["check", "0"]);
    let ran = Ran::of(no_cargo.env("CARGO", "/nowhere/cargo"));
    ran.exits(4).complains("cannot start /nowhere/cargo").complains("cargo xtask doctor");

    // A library that nobody can get.
    let manifest = course.read("Cargo.toml");
    course.write("Cargo.toml", &format!("{manifest}\n[patch.crates-io]\nlibc = {{ path = \"/nowhere\" }}\n"));
    let ran = course.xtask(&["check", "0"]).exits(4).says("not about your code");
    ran.says("cargo xtask doctor");
    course.write("Cargo.toml", &manifest);

    // No room for the state.
    let _ = fs::remove_dir_all(course.root.join(".labs"));
    course.write(".labs", "");
    let ran = course.xtask(&["hint", "0"]);
    fs::remove_file(course.root.join(".labs")).unwrap();
    ran.exits(4).complains(".labs");
}

#[test]
fn a_run_sweeps_what_a_dead_one_left_and_nothing_of_a_living_one() {
    let course = Course::of("sweep", &["small"]);
    let living = process::id().to_string();
    for run in ["2147483647", &living] {
        fs::create_dir_all(course.root.join("target/labs").join(run).join("folder")).unwrap();
    }
    course.xtask(&["check", "0"]).exits(1);
    assert_eq!(course.runs(), [living.as_str()]);
    fs::remove_dir_all(course.root.join("target/labs")).unwrap();
}

#[test]
fn a_reader_who_leaves_ends_the_grader_without_a_panic() {
    let course = Course::of("reader", &["small"]);
    let (reader, writer) = std::io::pipe().unwrap();
    // As `| head` does when it has enough.
    drop(reader);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("list")
        .current_dir(&course.root)
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!output.status.success());
}
