//! A lab with a contract of its own: the contract is the learner's, what compiles it is the grader's.

mod support;

use std::fs;
use support::Course;

const CONTRACT: &str = "labs/lab-00-demo-lab/proto/demo.proto";
const BUILD: &str = "labs/lab-00-demo-lab/build.rs";
const CODE: &str = "labs/lab-00-demo-lab/src/lib.rs";
const TODO: &str = "todo!(\"step 1: add them, and say so when the sum does not fit\")";

const WITH_MARKERS: &str = r#"message Sum {
  // stub: todo!("step 1: say which number is for ever")
  reserved 1;
  // stub: end
}
"#;

const COMPILER: &str = r#"fn main() {
    println!("cargo:rerun-if-changed=proto");
    if std::fs::read_to_string("proto/demo.proto").unwrap().contains("broken") {
        eprintln!("proto/demo.proto:2:3: expected a field");
        std::process::exit(1);
    }
}
"#;

fn course(name: &str) -> Course {
    let course = Course::empty(name);
    course.xtask(&["new-lab", "demo-lab"]).exits(0);
    fs::create_dir(course.root.join("solutions/lab-00-demo-lab/proto")).unwrap();
    course.write("solutions/lab-00-demo-lab/proto/demo.proto", WITH_MARKERS);
    course.write("solutions/lab-00-demo-lab/build.rs", COMPILER);
    course.xtask(&["stubs", "--check"]).exits(1).complains(CONTRACT).complains(BUILD);
    course.xtask(&["stubs"]).exits(0);
    course.xtask(&["stubs", "--check"]).exits(0);
    course
}

#[test]
fn the_contract_is_a_part_of_the_stub() {
    let course = course("stub");
    let stub = course.read(CONTRACT);
    assert_eq!(stub, "message Sum {\n  // TODO step 1: say which number is for ever\n}\n");
    course.xtask(&["compare", "0", "--spoil"]).exits(0).says("── proto/demo.proto").says("+  reserved 1;");

    course.edit(CONTRACT, "// TODO step 1: say which number is for ever", "reserved 1;");
    course.edit(CODE, TODO, "a.checked_add(b)");
    course.xtask(&["check", "0"]).exits(0).says("100 of 100 points");
    course.xtask(&["compare", "0"]).exits(0).says("files are the same in both");

    course.xtask(&["reset", "0"]).exits(0).says("is the stub again");
    assert_eq!(course.read(CONTRACT), stub);
    assert_eq!(course.read(BUILD), COMPILER);
}

#[test]
fn a_contract_that_does_not_compile_is_the_learners_matter() {
    let course = course("broken");
    course.edit(CONTRACT, "// TODO", "broken");
    let ran = course.xtask(&["check", "0"]).exits(3).says("does not compile, so nothing was graded");
    ran.says("proto/demo.proto:2:3: expected a field").says("Mend the first error");
}

#[test]
fn what_compiles_the_contract_is_the_graders() {
    let course = course("build");
    course.commit();
    course.edit(BUILD, "broken", "something else");
    course.xtask(&["check", "0"]).exits(5).says("cargo xtask reset lab-00 --tests");
    course.xtask(&["reset", "0", "--tests"]).exits(0).says(&format!("put back {BUILD}"));
    assert_eq!(course.read(BUILD), COMPILER);

    // Where the solutions are withheld, the stub comes from git's history, and the compiler stays.
    fs::remove_dir_all(course.root.join("solutions/lab-00-demo-lab")).unwrap();
    course.edit(CONTRACT, "// TODO", "// DONE");
    course.xtask(&["reset", "0"]).exits(0).says("is the stub again");
    assert!(course.read(CONTRACT).contains("// TODO step 1"));
    assert_eq!(course.read(BUILD), COMPILER);
}
