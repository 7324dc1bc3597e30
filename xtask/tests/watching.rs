//! `check --watch`: what a learner saves is graded, however it is saved.

mod support;

use std::{
    fs::{self, File},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::Stdio,
};
use support::{Course, Running, kill, until};

const CODE: &str = "labs/lab-00-small/src/lib.rs";
const TODO: &str = "todo!(\"step 2: say two\")";
const WAITS: &str = "Waiting for a change";

/// A check that goes on, and what it has said so far.
struct Watching<'a> {
    course: &'a Course,
    check: Running,
}

impl<'a> Watching<'a> {
    fn start(course: &'a Course) -> Self {
        let mut command = course.command(&["check", "0", "--watch"]);
        let file = |name: &str| File::create(course.root.join("notes").join(name)).unwrap();
        command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err")).process_group(0);
        let check = Running(command.spawn().unwrap());
        Self { course, check }
    }

    fn said(&self) -> String {
        self.course.read("notes/out")
    }

    /// Waits until it has graded so often, and waits again.
    fn graded(&self, times: usize) {
        until(&format!("verdict {times}"), || self.course.read("notes/err").matches(WAITS).count() == times);
    }

    /// Saves as many editors do: another file, in the place of the old one.
    fn save(&self, text: &str) {
        let path = self.course.root.join(CODE);
        let beside = path.with_file_name(".lib.rs.new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }
}

#[test]
fn each_change_is_graded_once_and_ctrl_c_leaves_nothing() {
    let course = Course::of("saves", &["small"]);
    let stub = course.read(CODE);
    let mut watching = Watching::start(&course);
    watching.graded(1);
    assert!(watching.said().contains("30 of 100 points"), "{}", watching.said());

    watching.save(&stub.replace(TODO, "3"));
    watching.graded(2);
    assert!(watching.said().contains("✗ step 2, two::is_two"), "{}", watching.said());

    // A burst, the file gone in between: what stands there in the end is graded.
    let path = course.root.join(CODE);
    for number in 4..40 {
        fs::remove_file(&path).unwrap();
        fs::write(&path, stub.replace(TODO, &format!("{number}"))).unwrap();
    }
    watching.save(&stub.replace(TODO, "2"));
    until("the lab has passed", || watching.said().contains("100 of 100 points"));
    let verdicts = watching.said().matches("lab-00 Small").count();
    assert!(verdicts < 10, "a burst is one change, or a few on a slow disk, not {verdicts}");

    // Neither an editor's own files nor the same text again are a change.
    until("it waits", || course.read("notes/err").matches(WAITS).count() == verdicts);
    course.write("labs/lab-00-small/src/lib.rs~", "a backup");
    watching.save(&stub.replace(TODO, "2"));
    watching.save(&stub.replace(TODO, "what"));
    watching.graded(verdicts + 1);
    assert!(watching.said().ends_with("check lab-00\n") && watching.said().contains("does not compile"));

    assert!(kill("INT", &format!("-{}", watching.check.0.id())));
    assert_eq!(watching.check.0.wait().unwrap().signal(), Some(2));
    until("the run's folder is gone", || course.runs().is_empty());
}
