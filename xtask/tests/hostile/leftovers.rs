//! What is left when the grader itself is killed, or has no room. On Linux: elsewhere there is nothing to show.
#![cfg(target_os = "linux")]

use crate::{
    cases,
    support::{Course, Ran, Running, kill, runs, until},
};
use std::{
    fs,
    process::{Command, Stdio},
};

#[test]
fn a_grader_that_is_killed_leaves_no_daemon() {
    let course = Course::of("killed", &["hostile"]);
    let mut command = course.command(&["check", "0", "--test", "a_daemon_and_stays"]);
    command.env("FIXTURE_STAYS", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut check = Running(command.spawn().unwrap());
    let daemon = || fs::read_to_string(course.root.join("notes/orphan")).unwrap_or_default();
    until("the daemon runs", || daemon().ends_with('\n'));
    let daemon = daemon().trim().parse().unwrap();
    assert!(runs(daemon));

    assert!(kill("KILL", &check.0.id().to_string()));
    check.0.wait().unwrap();
    until("the daemon is gone", || !runs(daemon));
    until("the run's folder is gone", || course.runs().is_empty());
}

/// The grader in a namespace in which the run's files lie on a disk of 4 MiB. `None` where that cannot be had.
fn on_a_small_disk(course: &Course, arguments: &[&str]) -> Option<Ran> {
    let user: &[&str] = &["--user", "--map-root-user", "--mount"];
    let can = |options: &&[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(*options).args(["mount", "-t", "tmpfs", "tmpfs", "/tmp"]);
        unshare.stdin(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let options = [user, &["--mount"]].into_iter().find(can)?;
    let runs = course.root.join("target/labs");
    fs::create_dir_all(&runs).unwrap();
    let grader = course.command(arguments);
    let mut command = Command::new("unshare");
    command
        .args(options)
        .args(["sh", "-c", r#"mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@""#])
        .arg(runs);
    command.arg(grader.get_program()).args(grader.get_args()).current_dir(&course.root);
    for (name, value) in grader.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(Ran::of(&mut command))
}

#[test]
fn a_full_disk_is_nobodys_fault() {
    let course = Course::of("full", &["hostile"]);
    let arguments = ["check", "0", "--test", "fills_the_disk", "--format", "json"];
    let Some(ran) = on_a_small_disk(&course, &arguments) else {
        println!("not shown here: no small disk can be mounted");
        return;
    };
    let ran = ran.exits(4);
    cases::shown_by("leftovers", "a_full_disk_is_nobodys_fault").is_told_by(&ran.verdict());
}
