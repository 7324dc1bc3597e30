//! However a check is ended, nothing of it stays behind.

mod support;

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use std::{fs, os::unix::process::ExitStatusExt as _, process::Stdio};
use support::{Course, runs, until};

/// Begins a check, ends it by a signal once all of these processes run, and waits until they are gone.
fn interrupted(course: &Course, signal: Signal, processes: &[&str]) {
    for name in processes {
        let _ = fs::remove_file(course.root.join("notes").join(name));
    }
    let mut command = course.command(&["check", "0"]);
    let mut check = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pids: Vec<i32> = processes.iter().map(|name| course.pid(name)).collect();
    assert!(pids.iter().all(|pid| runs(*pid)), "{processes:?} run");
    assert_eq!(course.runs(), [check.id().to_string()]);

    signal::kill(Pid::from_raw(check.id().try_into().unwrap()), signal).unwrap();
    let status = check.wait().unwrap();
    assert_eq!(status.signal(), Some(signal as i32), "{status}");
    for (name, pid) in processes.iter().zip(pids) {
        until(&format!("{name} is gone after {signal}"), || !runs(pid));
    }
    until("the run's folder is gone", || course.runs().is_empty());
    assert!(!course.root.join(".labs").exists(), "nothing was graded and nothing is remembered");
}

#[test]
fn a_check_whose_tests_run() {
    let course = Course::of("running", &["endless"]);
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL] {
        // Both run at once only where there are two cores.
        interrupted(&course, signal, &["spins"]);
    }
}

#[test]
fn a_check_that_compiles() {
    let course = Course::of("building", &["slow-build"]);
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        interrupted(&course, signal, &["build"]);
    }
}
