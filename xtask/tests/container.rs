//! Kafka in a container: what is started goes again, however its check ends. These tests run where a Docker engine
//! answers and has the image, or can get it; elsewhere they say so and show nothing.

mod support;

use serde_json::Value;
use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use support::{Course, Ran, kill, until};

/// What the broker program labels its containers with: the lock file of their owner.
const OWNER: &str = "grpc-kafka-labs.owner";

/// A course whose broker programs have a folder of their own for their lock files, by which their containers are
/// known among all others.
struct Docker {
    course: Course,
    locks: PathBuf,
}

impl Docker {
    /// `None` where there is no Docker to be had.
    fn here() -> Option<Self> {
        let image = env::var("LABS_KAFKA_IMAGE").unwrap_or_else(|_| "apache/kafka:4.3.1".into());
        if !docker(&["image", "inspect", &image]).0 && !docker(&["pull", "--quiet", &image]).0 {
            println!("not shown here: Docker does not answer, or it has no {image} and gets none");
            return None;
        }
        let course = Course::of("container", &["kafka"]);
        let locks = course.root.join("locks");
        // A test that failed may have left some.
        let _ = fs::remove_dir_all(&locks);
        fs::create_dir_all(&locks).unwrap();
        Some(Self { course, locks })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.course.command(arguments);
        command.env("TMPDIR", &self.locks);
        let _ = fs::remove_file(self.course.root.join("notes/told"));
        command
    }

    /// The containers of this course, running or not.
    fn containers(&self) -> Vec<String> {
        let format = format!("{{{{.ID}}}} {{{{.Label {OWNER:?}}}}}");
        let (_, all) = docker(&[
            "ps",
            "--all",
            "--no-trunc",
            "--filter",
            &format!("label={OWNER}"),
            "--format",
            &format,
        ]);
        let own = all
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, lock)| lock.starts_with(self.locks.to_str().unwrap()));
        own.map(|(id, _)| id.to_owned()).collect()
    }

    /// The lock files that are there: one for each broker program that lives.
    fn owners(&self) -> usize {
        let names = fs::read_dir(&self.locks).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with("grpc-kafka-labs-")).count()
    }

    fn nothing_is_left(&self) {
        until("no container is left", || self.containers().is_empty());
        until("no broker program is left", || self.owners() == 0);
    }

    fn warm(&self) -> Value {
        serde_json::from_str(&self.course.read(".labs/broker.json")).unwrap()
    }
}

impl Drop for Docker {
    /// A test that failed leaves nothing either.
    fn drop(&mut self) {
        for id in self.containers() {
            docker(&["rm", "--force", &id]);
        }
    }
}

fn docker(arguments: &[&str]) -> (bool, String) {
    match Command::new("docker").args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output() {
        Ok(output) => (output.status.success(), String::from_utf8(output.stdout).unwrap()),
        Err(_) => (false, String::new()),
    }
}

#[test]
fn a_check_on_docker_leaves_nothing() {
    let Some(docker) = Docker::here() else { return };
    let ran =
        Ran::of(&mut docker.command(&["check", "0", "--broker", "docker", "--format", "json"])).exits(0);
    // Its end waits for the container's.
    assert_eq!((docker.containers().len(), docker.owners()), (0, 0));
    let broker = &ran.verdict()["broker"];
    assert_eq!(broker["backend"], "docker");
    let told = docker.course.read("notes/told");
    assert_eq!(told, format!("docker {}", broker["bootstrap"].as_str().unwrap()));
    assert!(broker["image"].as_str().unwrap().contains("kafka"), "{broker}");
}

#[test]
fn a_check_that_is_killed_at_any_moment_leaves_nothing() {
    let Some(docker) = Docker::here() else { return };
    // Everything is compiled then, and what is killed is a check that starts its broker.
    Ran::of(&mut docker.command(&["check", "0", "--broker", "docker"])).exits(0);
    for (moment, signal) in
        [(300, "KILL"), (700, "INT"), (1100, "KILL"), (1500, "TERM"), (1900, "KILL"), (2300, "KILL")]
    {
        let mut command = docker.command(&["check", "0", "--broker", "docker"]);
        // Its tests run until then.
        command.env("FIXTURE_FAILS", "1").process_group(0);
        let mut check =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(moment));
        let group = if signal == "INT" { "-" } else { "" };
        assert!(kill(signal, &format!("{group}{}", check.id())));
        assert!(!check.wait().unwrap().success());
        docker.nothing_is_left();
    }
}

#[test]
fn a_warm_broker_serves_checks_until_it_is_told_to_go() {
    let Some(docker) = Docker::here() else { return };
    let xtask = |arguments: &[&str]| Ran::of(&mut docker.command(arguments));
    xtask(&["broker", "down"]).exits(0);
    xtask(&["broker", "status"]).exits(4);
    xtask(&["broker", "up"]).exits(0).says("Kafka is up at");
    let bootstrap = docker.warm()["bootstrap"].as_str().unwrap().to_owned();
    xtask(&["broker", "status"]).exits(0).says(&bootstrap);
    xtask(&["broker", "up"]).exits(0).says("up already");
    xtask(&["check", "0"]).exits(0).says("on Kafka in a container");
    assert_eq!(docker.course.read("notes/told"), format!("docker {bootstrap}"));
    assert_eq!(docker.containers().len(), 1, "no second one was started");

    xtask(&["broker", "down"]).exits(0).says("its container is gone");
    assert_eq!((docker.containers().len(), docker.owners()), (0, 0));
    assert!(!docker.course.root.join(".labs/broker.json").exists());
}

#[test]
fn what_a_killed_broker_program_left_is_swept_by_the_next() {
    let Some(docker) = Docker::here() else { return };
    let xtask = |arguments: &[&str]| Ran::of(&mut docker.command(arguments));
    xtask(&["broker", "up"]).exits(0);
    let pid = docker.warm()["pid"].to_string();
    let orphan = docker.containers();
    assert!(kill("KILL", &pid));
    // Its lock is free only when the last of its threads is gone, a moment later than the process.
    until("the program is gone", || xtask(&["broker", "status"]).code == Some(4));
    assert_eq!(docker.containers(), orphan, "nobody is there to remove it");

    xtask(&["broker", "up"]).exits(0).says("Kafka is up at");
    assert!(!docker.containers().contains(&orphan[0]), "the next one did");
    xtask(&["broker", "down"]).exits(0);
    docker.nothing_is_left();
}
