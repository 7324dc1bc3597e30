//! `broker`: a Kafka in a container that stays warm between checks.

use crate::{
    cli::Action,
    course::Course,
    exit::{Exit, Stop},
    grade::{
        Event, Session,
        broker::{
            self,
            warm::{self, Warm},
        },
        signals,
    },
    verdict::Problem,
};
use std::{
    fs::{self, File},
    thread,
    time::{Duration, Instant},
};

/// The longest wait for a container to go.
const END: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(20);

pub fn run(course: &Course, action: Action) -> anyhow::Result<Exit> {
    match action {
        Action::Up => up(course),
        Action::Down => down(course),
        Action::Status => Ok(status(course)),
    }
}

fn up(course: &Course) -> anyhow::Result<Exit> {
    fs::create_dir_all(course.state_dir())?;
    let one_at_a_time = File::create(course.state_dir().join("broker.lock"))?;
    one_at_a_time.lock()?;
    if let Some(warm) = warm::find(course) {
        anstream::println!("Kafka is up already: {}", shown(&warm));
        return Ok(Exit::Passed);
    }
    let session = Session::start(&course.root)?;
    let file = warm::file(course);
    // One that was killed could not remove it.
    let _ = fs::remove_file(&file);
    let watcher = |event: Event<'_>| {
        if let Event::Said { text } = event {
            anstream::eprintln!("{text}");
        }
    };
    let mut program = broker::start(&session, &course.root, Some(&file), &watcher).map_err(stop)?;
    let line = program.wait(&session, &watcher).map_err(stop)?;
    program.release();
    anstream::println!("Kafka is up at {}. Checks and `cargo test` find it.", line.bootstrap);
    anstream::println!("It ends after two hours, or with: cargo xtask broker down");
    Ok(Exit::Passed)
}

fn down(course: &Course) -> anyhow::Result<Exit> {
    let Some(warm) = warm::find(course) else {
        let _ = fs::remove_file(warm::file(course));
        anstream::println!("No Kafka is up.");
        return Ok(Exit::Passed);
    };
    signals::terminate(warm.pid);
    let began = Instant::now();
    while warm.is_alive() {
        if began.elapsed() > END {
            let what = format!("the program that keeps Kafka (process {}) does not end", warm.pid);
            let next = "Docker may be stuck: docker ps. The container ends by itself after two hours.";
            return Err(Stop::new(Exit::Infrastructure, what, next).into());
        }
        thread::sleep(TICK);
    }
    anstream::println!("Kafka is down, and its container is gone.");
    Ok(Exit::Passed)
}

fn status(course: &Course) -> Exit {
    match warm::find(course) {
        Some(warm) => {
            anstream::println!("Kafka is up: {}", shown(&warm));
            Exit::Passed
        }
        None => {
            anstream::println!("No Kafka is up. Start one: cargo xtask broker up");
            Exit::Infrastructure
        }
    }
}

fn shown(warm: &Warm) -> String {
    let image = warm.image.as_ref().map_or(String::new(), |image| format!(" ({image})"));
    format!("{}{image}", warm.bootstrap)
}

/// Why there is none, as an error that somebody reads.
fn stop(problem: Problem) -> anyhow::Error {
    let Problem { what, details, next, .. } = problem;
    let what = [&[what], &details[..]].concat().join("\n  ");
    // Here nobody can go on without Docker.
    let next: Vec<_> = next.lines().filter(|line| !line.contains("--broker embedded")).collect();
    Stop::new(Exit::Infrastructure, what, next.join("\n")).into()
}
