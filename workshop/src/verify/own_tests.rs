//! The tests of the course's own crates: the grader, the testkit, the contracts.

use super::{
    brokers::{self, Brokers},
    table::Row,
};
use std::{process::Command, time::Duration};
use xtask::{
    course::Course,
    grade::{self, Session, broker::Broker},
};

const CRATES: [&str; 4] = ["proto", "testkit", "workshop", "xtask"];
/// The longest time for all of them, builds included.
const LIMIT: Duration = Duration::from_secs(1800);

/// All tests on the embedded broker, and those about brokers once more on one in a container.
pub fn prove(
    course: &Course,
    session: &Session,
    brokers: &Brokers,
) -> anyhow::Result<Vec<(String, Vec<Row>)>> {
    let mut groups = Vec::new();
    let docker = brokers.docker();
    let mut arguments: Vec<_> = CRATES.iter().flat_map(|name| ["--package", name]).collect();
    if brokers::conforms(course) {
        arguments.extend(["--features", "testkit/kafka"]);
    }
    groups.push(("own tests".to_owned(), tests(course, session, &Broker::embedded(), &arguments)?));
    if let Some(docker) = docker {
        // By itself, because its Docker client asks the libraries of the others for more features. Nobody without
        // Docker has to compile it.
        groups.push((
            "broker's own tests".to_owned(),
            tests(course, session, docker, &["--package", "broker"])?,
        ));
    }
    if let Some(docker) = docker.filter(|_| brokers::conforms(course)) {
        let arguments = ["--package", "testkit", "--features", "kafka", "--test", "conformance"];
        groups
            .push(("brokers behave alike (docker)".to_owned(), tests(course, session, docker, &arguments)?));
    }
    Ok(groups)
}

fn tests(
    course: &Course,
    session: &Session,
    broker: &Broker,
    arguments: &[&str],
) -> anyhow::Result<Vec<Row>> {
    let mut command = Command::new(grade::build::cargo());
    command.current_dir(&course.root).args(["test", "--no-fail-fast"]).args(arguments);
    broker.tell(&mut command);
    let (success, output) = grade::run_and_read(session, &mut command, LIMIT)?;

    let mut rows = Vec::new();
    for (name, result) in output.lines().filter_map(test_line) {
        let fault = if result == "ok" {
            Ok(())
        } else {
            Err(anyhow::anyhow!("{result}\n{}", section(&output, name)))
        };
        rows.push(Row::of(name, fault));
    }
    if !success && rows.iter().all(|row| row.fault.is_none()) {
        rows.push(Row::of("cargo test", Err(anyhow::anyhow!("failed:\n{output}"))));
    }
    if rows.is_empty() {
        rows.push(Row::of("cargo test", Err(anyhow::anyhow!("ran no test"))));
    }
    Ok(rows)
}

/// `test a::b ... ok`, also where libtest adds ` - should panic` or `(line 12)` to the name.
fn test_line(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.rsplit_once(" ... ")
}

/// What libtest printed of a failed test.
fn section<'a>(output: &'a str, name: &str) -> &'a str {
    let head = format!("---- {name} stdout ----");
    let Some(start) = output.find(&head) else { return "" };
    let text = &output[start..];
    text.find("\n\n---- ").map_or(text, |end| &text[..end])
}
