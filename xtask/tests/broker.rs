//! Which broker a check uses, what its tests are told of it, and what is said when it is not there. No engine and no
//! Kafka plays a part here: see `container.rs` for those.

mod support;

use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::net::UnixListener,
    process::Command,
    thread,
};
use support::{Course, Ran, until};

/// A check in JSON, where no Docker engine is to be found.
fn check(course: &Course, arguments: &[&str]) -> Command {
    let mut command = course.command(&[&["check", "0", "--format", "json"], arguments].concat());
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let _ = fs::remove_file(course.root.join("notes/told"));
    command
}

fn told(course: &Course) -> String {
    course.read("notes/told")
}

fn backend(verdict: &Value) -> &Value {
    &verdict["broker"]["backend"]
}

fn problem(verdict: &Value) -> &str {
    verdict["problem"]["what"].as_str().unwrap()
}

/// An address where nobody listens.
fn nowhere() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Answers ApiVersions as a broker does, as often as it is asked, until the process ends.
fn answers_like_kafka() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 18];
            if stream.read_exact(&mut request).is_ok() {
                let _ = stream.write_all(&[&[0, 0, 0, 10], &request[8..12], &[0; 6]].concat());
            }
        }
    });
    address
}

#[test]
fn without_an_engine_it_is_one_line_and_the_embedded_broker() {
    let course = Course::of("default", &["kafka"]);
    let ran = Ran::of(&mut check(&course, &[])).exits(0);
    assert_eq!(backend(&ran.verdict()), "embedded");
    assert_eq!(told(&course), "embedded ");
    let lines: Vec<_> = ran.stderr.lines().filter(|line| line.contains("embedded")).collect();
    assert_eq!(lines.len(), 1, "{}", ran.stderr);
    assert!(lines[0].contains("/nowhere/docker.sock") && lines[0].contains("For real Kafka"), "{}", lines[0]);

    let text = Ran::of(course.command(&["check", "0"]).env("DOCKER_HOST", "unix:///nowhere")).exits(0).stdout;
    assert!(text.lines().nth(1).unwrap().ends_with("s, on the embedded broker"), "{text}");

    // Whoever asks for it needs no line about it.
    let ran = Ran::of(&mut check(&course, &["--broker", "embedded"])).exits(0);
    assert!(!ran.stderr.contains("embedded"), "{}", ran.stderr);
    let mut variable = check(&course, &[]);
    let ran = Ran::of(variable.env("LABS_KAFKA_BACKEND", "embedded")).exits(0);
    assert!(!ran.stderr.contains("embedded"), "{}", ran.stderr);
}

#[test]
fn an_engine_that_does_not_answer_is_never_the_learners_fault() {
    let course = Course::of("engine", &["kafka"]);
    // The path of a socket must be short.
    let sockets = tempfile::tempdir().unwrap();
    let socket = |name: &str| sockets.path().join(name);
    drop(UnixListener::bind(socket("dead")).unwrap());
    let _hanging = UnixListener::bind(socket("hangs")).unwrap();
    for (name, why) in [("none", "no socket"), ("dead", "does not run"), ("hangs", "did not answer within")] {
        let host = format!("unix://{}", socket(name).display());
        let mut asked = check(&course, &["--broker", "docker"]);
        let ran = Ran::of(asked.env("DOCKER_HOST", &host)).exits(4);
        let verdict = ran.verdict();
        assert!(problem(&verdict).contains(why), "{verdict}");
        assert!(verdict["problem"]["next"].as_str().unwrap().contains("--broker embedded"), "{verdict}");
        assert_eq!((&verdict["outcome"], &verdict["steps"]), (&json!("infrastructure"), &json!([])));
        assert!(!ran.stderr.contains("Compiling"), "nothing is compiled for it: {}", ran.stderr);

        let mut default = check(&course, &[]);
        let ran = Ran::of(default.env("DOCKER_HOST", &host)).exits(0).complains(why);
        assert_eq!(backend(&ran.verdict()), "embedded");
    }
    let state = course.read(".labs/state.json");
    assert!(state.contains("\"completed\": true"), "what passed stays passed: {state}");
}

#[test]
fn somebodys_own_kafka_is_named_and_must_be_there() {
    let course = Course::of("external", &["kafka"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap().to_string();
    let ran = Ran::of(&mut check(&course, &["--broker", &here])).exits(0);
    assert_eq!(ran.verdict()["broker"], json!({"backend": "external", "bootstrap": here, "image": null}));
    assert_eq!(told(&course), format!("external {here}"));
    Ran::of(check(&course, &[]).env("LABS_KAFKA_BOOTSTRAP", &here)).exits(0);
    assert_eq!(told(&course), format!("external {here}"));
    // The command line wins.
    Ran::of(check(&course, &["--broker", "embedded"]).env("LABS_KAFKA_BOOTSTRAP", &here)).exits(0);
    assert_eq!(told(&course), "embedded ");

    let gone = nowhere();
    for mut command in [check(&course, &["--broker", &gone]), {
        let mut command = check(&course, &[]);
        command.env("LABS_KAFKA_BOOTSTRAP", &gone);
        command
    }] {
        let verdict = Ran::of(&mut command).exits(4).verdict();
        assert!(problem(&verdict).contains(&gone), "{verdict}");
        assert_eq!(verdict["steps"], json!([]));
    }
    course.xtask(&["check", "0", "--broker", "kafka"]).exits(2).complains("HOST:PORT");
    Ran::of(check(&course, &[]).env("LABS_KAFKA_BACKEND", "podman")).exits(2).complains("LABS_KAFKA_BACKEND");
}

#[test]
fn a_warm_broker_is_used_while_its_program_lives_and_it_answers() {
    let course = Course::of("warm", &["kafka"]);
    let lock = course.root.join("notes/lock");
    let warm = |bootstrap: &str| {
        let text = json!({"bootstrap": bootstrap, "image": "kafka:test", "pid": 7, "lock": lock});
        fs::create_dir_all(course.root.join(".labs")).unwrap();
        course.write(".labs/broker.json", &text.to_string());
    };
    let here = answers_like_kafka();
    warm(&here);
    let held = File::create(&lock).unwrap();
    held.lock().unwrap();
    let verdict = Ran::of(&mut check(&course, &[])).exits(0).verdict();
    assert_eq!(verdict["broker"], json!({"backend": "docker", "bootstrap": here, "image": "kafka:test"}));
    assert_eq!(told(&course), format!("docker {here}"));
    course.xtask(&["broker", "status"]).exits(0).says(&here);
    course.xtask(&["broker", "up"]).exits(0).says("up already");
    Ran::of(&mut check(&course, &["--broker", "docker"])).exits(0);

    // Something that is no Kafka listens there now.
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    thread::spawn(move || stranger.incoming().for_each(drop));
    warm(&nowhere());
    assert_eq!(backend(&Ran::of(&mut check(&course, &[])).exits(0).verdict()), "embedded");

    warm(&here);
    held.unlock().unwrap();
    assert_eq!(backend(&Ran::of(&mut check(&course, &[])).exits(0).verdict()), "embedded");
    course.xtask(&["broker", "status"]).exits(4).says("No Kafka is up");
    course.xtask(&["broker", "down"]).exits(0).says("No Kafka is up");
    assert!(!course.root.join(".labs/broker.json").exists(), "what a killed one left is cleared away");
}

#[test]
fn only_somebodys_own_kafka_may_be_unfit_for_a_test() {
    let course = Course::of("gradable", &["kafka"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap().to_string();
    let verdict = Ran::of(check(&course, &["--broker", &here]).env("FIXTURE_CLAIMS", "1")).exits(0).verdict();
    assert_eq!((&verdict["points"], &verdict["totals"]["not_gradable"]), (&json!(100), &json!(1)));
    let text =
        Ran::of(course.command(&["check", "0", "--broker", &here]).env("FIXTURE_CLAIMS", "1")).exits(0);
    text.says("claims::may_not_be_gradable").says("it needs a broker that can be made to fail");

    let part = ["--broker", &here, "--test", "may_not_be"];
    let verdict = Ran::of(check(&course, &part).env("FIXTURE_CLAIMS", "1")).exits(4).verdict();
    assert!(problem(&verdict).contains("nothing of this can be graded"), "{verdict}");

    let mut embedded = check(&course, &["--broker", "embedded"]);
    let verdict = Ran::of(embedded.env("FIXTURE_CLAIMS", "1")).exits(1).verdict();
    assert_eq!((&verdict["points"], &verdict["totals"]["failed"]), (&json!(60), &json!(1)));
}

#[test]
fn a_broker_that_goes_away_under_the_tests_fails_nobody() {
    let course = Course::of("gone", &["kafka"]);
    for goes in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap().to_string();
        let _ = fs::remove_file(course.root.join("notes/now"));
        let mut command = check(&course, &["--broker", &here]);
        command.env("FIXTURE_FAILS", "1");
        let ran = thread::scope(|scope| {
            let ran = scope.spawn(|| Ran::of(&mut command));
            until("the tests run", || course.root.join("notes/told").exists());
            // Kept to the end where it stays.
            let kept = (!goes).then_some(listener);
            course.write("notes/now", "");
            let ran = ran.join().unwrap();
            drop(kept);
            ran
        });
        if goes {
            let verdict = ran.exits(4).verdict();
            assert_eq!((&verdict["outcome"], &verdict["steps"]), (&json!("infrastructure"), &json!([])));
        } else {
            assert_eq!(ran.exits(1).verdict()["totals"]["failed"], 1);
        }
    }
}

#[test]
fn a_lab_without_kafka_has_nothing_to_do_with_it() {
    let course = Course::of("none", &["small"]);
    let mut command = course.command(&["check", "0", "--step", "1", "--format", "json"]);
    let ran = Ran::of(command.env("DOCKER_HOST", "strange").env("LABS_KAFKA_BOOTSTRAP", nowhere())).exits(0);
    assert_eq!(ran.verdict()["broker"], Value::Null);
}
