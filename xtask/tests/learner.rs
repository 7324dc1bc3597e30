//! The way of a learner through a lab, and of its author before. The lab is the one that `new-lab` makes.

mod support;

use std::{fs, process::Command};
use support::{Course, Ran};

const LAB: &str = "lab-00-demo-lab";
const CODE: &str = "labs/lab-00-demo-lab/src/lib.rs";
const SUITE: &str = "labs/lab-00-demo-lab/tests/suite/add.rs";
const TODO: &str = "todo!(\"step 1: add them, and say so when the sum does not fit\")";

/// A course whose only lab is a new one.
fn course(name: &str) -> Course {
    let course = Course::empty(name);
    course.xtask(&["list"]).exits(0);
    course.xtask(&["new-lab", "demo-lab"]).exits(0).says(LAB).says("cargo xtask verify lab-00");
    course
}

#[test]
fn from_a_stub_to_a_passed_lab() {
    let course = course("way");
    course.xtask(&["list"]).exits(0).says(LAB).says("0/100 points").says("60 min").says("Rust alone");
    course.xtask(&["progress"]).exits(0).says("No lab is begun yet");
    course.xtask(&["next"]).exits(0).says("step 1: Add").says("cargo xtask check lab-00 --step 1");

    let ran = course.xtask(&["check", "demo"]).exits(1).says("0 of 100 points");
    let ran = ran.says("Nothing is written yet, and that is how every lab begins.");
    ran.says("Not written yet: step 1: add them").says("labs/lab-00-demo-lab/README.md#step-1-add");

    hints_go_from_vague_to_nearly_there(&course);

    course.edit(CODE, TODO, "Some(a.wrapping_add(b))");
    let ran = course.xtask(&["check", "0"]).exits(1).says("✗ step 1, add::a_sum_that_does_not_fit_is_none");
    let ran = ran.says("A sum that does not fit is none").says("expected  None").says("seen      Some(0)");
    ran.says("This pattern usually means:").says("(overflow-wraps)");
    course.xtask(&["compare", "0"]).exits(1).complains("--spoil");

    // A part that passes is no lab that passed.
    let ran = course.xtask(&["check", "0", "--test", "two_numbers"]).exits(0);
    assert!(!ran.stdout.contains("compare"), "{}", ran.stdout);
    course.xtask(&["compare", "0"]).exits(1);

    course.edit(CODE, "Some(a.wrapping_add(b))", "a.checked_add(b)");
    let ran = course.xtask(&["check", "0"]).exits(0).says("100 of 100 points").says("Passed.");
    ran.says("You can now say").says("cargo xtask compare lab-00");
    course.xtask(&["list"]).exits(0).says("✓").says("100/100 points");
    course.xtask(&["progress"]).exits(0).says("✓ 1 Add").says("100 of 100 points").says("3 of 3 hints seen");
    course.xtask(&["next"]).exits(0).says("Every lab has passed");
    course.xtask(&["hint", "0"]).exits(0).says("Every step of lab-00 has passed");
    course.xtask(&["compare", "0"]).exits(0).says("files are the same in both");
}

/// Four times: each hint of three, then no more.
fn hints_go_from_vague_to_nearly_there(course: &Course) {
    let hints = ["1. Which sums do not fit?", "2. The standard library", "3. Look at the methods"];
    for seen in 1..=4 {
        let mut ran = course.xtask(&["hint", "0"]).exits(0).says("lab-00 step 1, Add");
        for (number, hint) in (1..).zip(hints) {
            assert_eq!(ran.stdout.contains(hint), number <= seen, "hint {number}:\n{}", ran.stdout);
        }
        ran = match seen {
            1 | 2 => ran.says("One more: cargo xtask hint lab-00 --step 1"),
            3 => ran.says("This was the last hint"),
            _ => ran.says("These are all hints"),
        };
        drop(ran);
    }
}

#[test]
fn a_solution_stays_closed_until_the_lab_has_passed() {
    let course = course("compare");
    let ran = course.xtask(&["compare", "0"]).exits(1).complains("has not passed yet");
    assert!(ran.stderr.contains("cargo xtask hint lab-00"), "{}", ran.stderr);
    assert!(!format!("{ran:?}").contains("checked_add"), "{ran:?}");

    let ran = course.xtask(&["compare", "0", "--spoil"]).exits(0).says("+    a.checked_add(b)");
    ran.says(&format!("-    {TODO}"));
    let ran = course.xtask(&["compare", "0", "--spoil", "--side-by-side"]).exits(0);
    ran.says("│ +     a.checked_add(b)");
}

#[test]
fn reset_keeps_the_work_and_the_way_back_works() {
    let course = course("reset");
    let stub = course.read(CODE);
    course.xtask(&["reset", "0"]).exits(0).says("is the stub already");

    course.edit(CODE, TODO, "a.checked_add(b)");
    course.write("labs/lab-00-demo-lab/src/mine.rs", "// mine\n");
    // As an editor leaves it while the file is open.
    fs::write(course.root.join("labs/lab-00-demo-lab/src/.lib.rs.swp"), [0xff, 0, 0xfe]).unwrap();
    let mine = course.read(CODE);
    let ran = course.xtask(&["reset", "0"]).exits(0).says("Your work is in .labs/backup/lab-00-demo-lab-1");
    assert_eq!(course.read(CODE), stub);
    assert!(!course.root.join("labs/lab-00-demo-lab/src/mine.rs").exists());

    let way = ran.stdout.lines().find_map(|line| line.strip_prefix("The way back: ")).unwrap();
    let status = Command::new("sh").args(["-c", way]).current_dir(&course.root).status().unwrap();
    assert!(status.success(), "{way}");
    assert_eq!(course.read(CODE), mine);
    assert_eq!(course.read("labs/lab-00-demo-lab/src/mine.rs"), "// mine\n");

    course.xtask(&["reset", "0"]).exits(0).says(".labs/backup/lab-00-demo-lab-2");
    assert_eq!(course.read(".labs/backup/lab-00-demo-lab-1/src/lib.rs"), mine, "an older backup is kept");
}

#[test]
fn reset_finds_the_stub_where_the_solutions_are_withheld() {
    let course = course("withheld");
    course.commit();
    let stub = course.read(CODE);
    fs::remove_dir_all(course.root.join("solutions/lab-00-demo-lab")).unwrap();
    course.edit(CODE, TODO, "a.checked_add(b)");
    course.xtask(&["reset", "0"]).exits(0).says("is the stub again").says("The way back:");
    assert_eq!(course.read(CODE), stub);
    course.xtask(&["compare", "0", "--spoil"]).exits(2).complains("no solution");
}

#[test]
fn a_changed_suite_is_put_back() {
    let course = course("suite");
    course.commit();
    course.edit(CODE, TODO, "a.checked_add(b)");
    let (suite, mine) = (course.read(SUITE), course.read(CODE));

    course.edit(SUITE, "same(None, add(u32::MAX, 1))", "same(1, 1)");
    course.write("labs/lab-00-demo-lab/mistakes.toml", "");
    fs::remove_file(course.root.join("labs/lab-00-demo-lab/lab.toml")).unwrap();
    course.xtask(&["check", "0"]).exits(5).says("cargo xtask reset lab-00 --tests");
    let ran = course.xtask(&["reset", "lab-00", "--tests"]).exits(0).says(&format!("put back {SUITE}"));
    ran.says("put back labs/lab-00-demo-lab/lab.toml")
        .says("What was there is in .labs/backup/lab-00-demo-lab-1");
    assert_eq!(
        (course.read(SUITE), course.read(CODE)),
        (suite, mine),
        "the suite is mended, the code left alone"
    );
    assert!(course.read(".labs/backup/lab-00-demo-lab-1/tests/suite/add.rs").contains("same(1, 1)"));
    course.xtask(&["check", "0"]).exits(0).says("100 of 100 points");

    for damaged in ["", "not a list\n", "# head only\n"] {
        course.write("labs/lab-00-demo-lab/suite.sums", damaged);
        course.xtask(&["check", "0"]).exits(5).says("cargo xtask reset lab-00 --tests");
        course.xtask(&["reset", "0", "--tests"]).exits(0).says("put back labs/lab-00-demo-lab/suite.sums");
    }
    course.xtask(&["reset", "0", "--tests"]).exits(0).says("is as its author left it");
}

#[test]
fn a_suite_without_an_original_is_left_as_it_is() {
    let course = course("no-git");
    Ran::of(Command::new("git").args(["init", "--quiet"]).current_dir(&course.root)).exits(0);
    course.edit(SUITE, "same(None, add(u32::MAX, 1))", "same(1, 1)");
    let changed = course.read(SUITE);
    let ran = course.xtask(&["reset", "0", "--tests"]).exits(5);
    ran.complains("git has no original of").complains("Clone the course anew");
    assert_eq!(course.read(SUITE), changed);
}

#[test]
fn a_damaged_record_is_set_aside_and_stops_nobody() {
    let course = course("record");
    course.xtask(&["hint", "0"]).exits(0).says("1. ");
    course.write(".labs/state.json", "{\"version\":1,\"la");
    let ran = course.xtask(&["hint", "0"]).exits(0).says("1. ").complains(".labs/state.damaged-1.json");
    assert!(!ran.stdout.contains("2. "), "it begins anew:\n{}", ran.stdout);
    assert_eq!(course.read(".labs/state.damaged-1.json"), "{\"version\":1,\"la");
    course.xtask(&["progress"]).exits(0);
    let names: Vec<_> =
        fs::read_dir(course.root.join(".labs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "no temporary file is left: {names:?}");
}

#[test]
fn a_renamed_lab_keeps_its_history() {
    let course = course("renamed");
    course.xtask(&["hint", "0"]).exits(0);
    for folder in ["labs", "solutions"] {
        let at = |name| course.root.join(folder).join(name);
        fs::rename(at(LAB), at("lab-00-better-name")).unwrap();
    }
    course.xtask(&["hint", "better"]).exits(0).says("2. The standard library");
}

#[test]
fn a_new_lab_is_proven_but_for_what_its_author_must_write() {
    let course = course("verify");
    course.xtask(&["stubs", "--check"]).exits(0).says("every stub is in step");
    let ran = course.xtask(&["verify", "lab-00"]).exits(1);
    for row in
        ["stubs in step", "solution passes", "stub is not implemented", "mistakes are caught and named"]
    {
        let line = ran.stdout.lines().find(|line| line.contains(row)).unwrap_or_default();
        let words: Vec<_> = line.split_whitespace().collect();
        assert!(words[0] == "✓" && words.ends_with(&["1", "0"]), "{row}: {line}");
    }
    let ran =
        ran.says("a lab has at least 6 mistakes; here: 1").says("a prompt of the template is still there");
    let last = ran.stdout.lines().last().unwrap();
    let numbers: Vec<usize> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [passed, failed] = numbers[..] else { panic!("{last}") };
    assert_eq!(last, format!("{passed} passed, {failed} failed"));
    assert_eq!(
        ran.stdout.lines().filter(|line| line.starts_with("✗ ") && line.contains(": ")).count(),
        failed
    );

    // What it has proven is written down when it is told to.
    let matrix = "labs/lab-00-demo-lab/kills.md";
    assert!(ran.stdout.contains(&format!("{matrix} is stale")), "{}", ran.stdout);
    let ran = course.xtask(&["verify", "lab-00", "--write"]).exits(1);
    assert!(!ran.stdout.contains("is stale"), "{}", ran.stdout);
    assert!(course.read(matrix).contains("overflow-wraps"));

    course.xtask(&["verify", "lab-00", "--flake", "3"]).exits(0).says("3 runs of right code, 0 failures");

    // The learner's own package has not become the solution's, which was built into the same target folder.
    course.xtask(&["check", "0"]).exits(1).says("0 of 100 points");

    course.edit(&CODE.replace("labs/", "solutions/"), "a.checked_add(b)", "a.checked_sub(b)");
    let ran = course.xtask(&["verify", "lab-00"]).exits(1).says("right code did not pass");
    ran.says("add::two_numbers_are_added");
    let ran = course.xtask(&["verify", "lab-00", "--flake", "2"]).exits(1);
    ran.says("2 runs of right code, 2 failures").says("add::two_numbers_are_added");
    let ran = course.xtask(&["stubs", "--check"]).exits(0);
    drop(ran);

    course.edit(CODE, TODO, "None");
    let ran = course.xtask(&["stubs", "--check"]).exits(1).complains(CODE);
    ran.complains("cargo xtask stubs");
    course.xtask(&["stubs"]).exits(0).says(&format!("wrote {CODE}"));
    assert!(course.read(CODE).contains(TODO));
}
