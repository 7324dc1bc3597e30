//! When what would be graded is not the lab: nothing is.

use crate::{
    cases,
    support::{Course, Ran},
};
use std::{fs, os::unix::fs::symlink};

const LAB: &str = "labs/lab-00-demo-lab";
const SOLUTION: &str = "solutions/lab-00-demo-lab/src/lib.rs";

/// A course whose only lab is a new one. It has a solution.
fn course(name: &str) -> Course {
    let course = Course::empty(name);
    course.xtask(&["new-lab", "demo-lab"]).exits(0);
    course
}

fn of_lab(file: &str) -> String {
    format!("{LAB}/{file}")
}

/// Ends the test unless a check says what the table has of it. Nothing has earned points then.
#[track_caller]
fn is_told(course: &Course, test: &str) -> Ran {
    let (ran, verdict) = course.verdict(&["0"]);
    cases::shown_by("refused", test).is_told_by(&verdict);
    assert_eq!((&verdict["points"], &verdict["steps"]), (&0.into(), &serde_json::json!([])));
    course.xtask(&["progress"]).exits(0).says("No lab is begun yet");
    ran
}

#[test]
fn a_second_suite() {
    let course = course("second-suite");
    course.write(&of_lab("tests/suite.rs"), "#[test]\nfn add() {}\n");
    is_told(&course, "a_second_suite").exits(3);
}

#[test]
fn no_suite() {
    let course = course("no-suite");
    course.edit(&of_lab("Cargo.toml"), "[package]\n", "[package]\nautotests = false\n");
    is_told(&course, "no_suite").exits(5).says("labs/lab-00-demo-lab/Cargo.toml");
}

#[test]
fn the_solution_by_its_path() {
    let course = course("path");
    course.write(
        &of_lab("src/lib.rs"),
        &format!("#[path = \"../../../{SOLUTION}\"]\nmod taken;\npub use taken::*;\n"),
    );
    is_told(&course, "the_solution_by_its_path").exits(5).says(SOLUTION);
    // Once more, when nothing is left to be compiled.
    is_told(&course, "the_solution_by_its_path").exits(5).says(SOLUTION);
}

#[test]
fn the_solution_as_a_text() {
    let course = course("text");
    let text = course.read(&of_lab("src/lib.rs"));
    let text = format!("{text}\npub const TAKEN: &str = include_str!(\"../../../{SOLUTION}\");\n");
    course.write(&of_lab("src/lib.rs"), &text);
    is_told(&course, "the_solution_as_a_text").exits(5).says(SOLUTION);
}

#[test]
fn the_solution_by_a_link() {
    let course = course("link");
    let file = course.root.join(of_lab("src/lib.rs"));
    fs::remove_file(&file).unwrap();
    symlink(course.root.join(SOLUTION), &file).unwrap();
    is_told(&course, "the_solution_by_a_link").exits(5).says(SOLUTION);
    // The next test's files must not be written through it.
    fs::remove_file(file).unwrap();
}

#[test]
fn the_solution_as_a_dependency() {
    let course = course("dependency");
    course.edit(
        &of_lab("Cargo.toml"),
        "[dependencies]\n",
        "[dependencies]\nsolution-00-demo-lab = { path = \"../../solutions/lab-00-demo-lab\" }\n",
    );
    course.write(&of_lab("src/lib.rs"), "pub use solution_00_demo_lab::*;\n");
    is_told(&course, "the_solution_as_a_dependency").exits(5).says(SOLUTION);
}

/// What a suite needs to compile, and nothing that judges.
const TESTKIT: &str = "
pub type Passed = ();
pub struct Trial;
impl Trial {
    pub fn start(_: &str) -> Self { Self }
    pub fn rule(&self, _: &str) -> &Self { self }
    pub fn same<A>(&self, _: A, _: A) {}
    pub fn passed(self) {}
}
";

#[test]
fn another_testkit() {
    let course = course("testkit");
    fs::create_dir_all(course.root.join(of_lab("mine/src"))).unwrap();
    course.write(&of_lab("mine/src/lib.rs"), TESTKIT);
    let manifest = "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    course.write(&of_lab("mine/Cargo.toml"), manifest);
    let path = "testkit = { package = \"mine\", path = \"mine\" }";
    course.edit(&of_lab("Cargo.toml"), "testkit.workspace = true", path);
    is_told(&course, "another_testkit").exits(5).says("testkit.workspace = true");
}

#[test]
fn another_library_of_that_name() {
    let course = course("same-name");
    fs::create_dir_all(course.root.join(of_lab("mine/src"))).unwrap();
    course.write(&of_lab("mine/src/lib.rs"), TESTKIT);
    let manifest = "[package]\nname = \"testkit\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    course.write(&of_lab("mine/Cargo.toml"), manifest);
    course.edit(&of_lab("Cargo.toml"), "testkit.workspace = true", "testkit = { path = \"mine\" }");
    is_told(&course, "another_library_of_that_name").exits(3);
}

#[test]
fn a_version_that_there_is_not() {
    let course = course("version");
    fs::create_dir_all(course.root.join(of_lab("mine/src"))).unwrap();
    course.write(&of_lab("mine/src/lib.rs"), "");
    let manifest = "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    course.write(&of_lab("mine/Cargo.toml"), manifest);
    let version = "[dependencies]\nmine = { path = \"mine\", version = \"99\" }\n";
    course.edit(&of_lab("Cargo.toml"), "[dependencies]\n", version);
    is_told(&course, "a_version_that_there_is_not").exits(3).says("mine");
}

#[test]
fn a_build_script() {
    let course = course("script");
    course.write(&of_lab("build.rs"), "fn main() {}\n");
    is_told(&course, "a_build_script").exits(5).says("labs/lab-00-demo-lab/build.rs");
}

#[test]
fn a_build_script_of_another_name() {
    let course = course("named-script");
    course.write(&of_lab("mine.rs"), "fn main() {}\n");
    course.edit(&of_lab("Cargo.toml"), "[package]\n", "[package]\nbuild = \"mine.rs\"\n");
    is_told(&course, "a_build_script_of_another_name").exits(5).says("labs/lab-00-demo-lab/mine.rs");
}

/// A macro runs in the compiler, and so does the build script of a library that the lab brings.
#[test]
fn a_suite_that_changes_in_the_build() {
    let course = course("changing");
    fs::create_dir_all(course.root.join(of_lab("mine/src"))).unwrap();
    course.write(&of_lab("mine/src/lib.rs"), "");
    let suite = of_lab("tests/suite/add.rs");
    let script = format!(
        "fn main() {{\n    let text = std::fs::read_to_string({path:?}).unwrap();\n    \
         std::fs::write({path:?}, text + \"// mine\\n\").unwrap();\n}}\n",
        path = course.root.join(&suite)
    );
    course.write(&of_lab("mine/build.rs"), &script);
    let manifest = "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    course.write(&of_lab("mine/Cargo.toml"), manifest);
    course.edit(
        &of_lab("Cargo.toml"),
        "[dev-dependencies]\n",
        "[dev-dependencies]\nmine = { path = \"mine\" }\n",
    );
    is_told(&course, "a_suite_that_changes_in_the_build").exits(5).says(&suite);
}

#[test]
fn a_file_that_is_gone_is_told_and_grades_nobody() {
    let course = course("gone");
    for (file, code, says) in [
        ("suite.sums", 5, "reset lab-00 --tests"),
        ("lab.toml", 5, "reset lab-00 --tests"),
        ("mistakes.toml", 5, "reset lab-00 --tests"),
        ("places.toml", 5, "reset lab-00 --tests"),
        ("tests", 5, "reset lab-00 --tests"),
        ("src", 3, "labs/lab-00-demo-lab"),
        ("Cargo.toml", 3, "cargo xtask reset lab-00"),
    ] {
        let (here, away) = (course.root.join(of_lab(file)), course.root.join("away"));
        fs::rename(&here, &away).unwrap();
        let ran = course.xtask(&["check", "0"]);
        fs::rename(&away, &here).unwrap();
        ran.exits(code).says(says);
    }
    course.xtask(&["check", "0"]).exits(1).says("Nothing is written yet");
}
