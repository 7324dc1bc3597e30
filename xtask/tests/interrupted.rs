//! However a check is ended, nothing of it stays behind.

mod support;

use std::{
    fs,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::Stdio,
};
use support::{Course, Running, kill, runs, until};

/// Signals by their name and their number, which is the same on every Unix.
const INT: (&str, i32) = ("INT", 2);
const TERM: (&str, i32) = ("TERM", 15);
const HUP: (&str, i32) = ("HUP", 1);
const KILL: (&str, i32) = ("KILL", 9);

/// Begins a check in a process group of its own, as a shell does, ends it by a signal once all of these processes
/// run, and waits until they are gone.
fn interrupted(course: &Course, (signal, number): (&str, i32), processes: &[&str]) {
    for name in processes {
        let _ = fs::remove_file(course.root.join("notes").join(name));
    }
    let mut command = course.command(&["check", "0"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut check = Running(command.spawn().unwrap());
    let pids: Vec<u32> = processes.iter().map(|name| course.pid(name)).collect();
    assert!(pids.iter().all(|pid| runs(*pid)), "{processes:?} run");
    assert_eq!(course.runs(), [check.0.id().to_string()]);

    // Ctrl-C reaches all of the group at once; nobody else sends a signal that way.
    let group = if signal == INT.0 { "-" } else { "" };
    assert!(kill(signal, &format!("{group}{}", check.0.id())));
    let status = check.0.wait().unwrap();
    assert_eq!(status.signal(), Some(number), "{status}");
    for (name, pid) in processes.iter().zip(pids) {
        until(&format!("{name} is gone after SIG{signal}"), || !runs(pid));
    }
    until("the run's folder is gone", || course.runs().is_empty());
    assert!(!course.root.join(".labs").exists(), "nothing was graded and nothing is remembered");
}

#[test]
fn a_check_whose_tests_run() {
    let course = Course::of("running", &["endless"]);
    for signal in [INT, TERM, HUP, KILL] {
        // Both run at once only where there are two cores.
        interrupted(&course, signal, &["spins"]);
    }
}

#[test]
fn a_check_that_compiles() {
    let course = Course::of("building", &["slow-build"]);
    for signal in [INT, KILL] {
        interrupted(&course, signal, &["build"]);
    }
}
