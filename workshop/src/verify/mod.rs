//! Proves the course: that every lab grades right code as right and wrong code as wrong, and that the grader
//! itself works. It judges the course, never a learner: everything is built in the target folder.

mod brokers;
mod built;
mod candidate;
mod documents;
mod expectation;
mod flake;
mod libraries;
mod manifest;
mod markdown;
mod matrix;
mod mutants;
mod own_tests;
mod suites;
mod table;
mod trust;
mod walkthrough;

pub use walkthrough::finished_course;

use crate::{cli::Proof, grader, stubs};
use brokers::Brokers;
use std::fs;
use table::{Row, Table};
use xtask::{
    course::{Course, Lab, sources},
    exit::Exit,
    grade::Session,
};

/// Proves one lab, or all of them together with the grader and the documents. Of a lab, `named` picks the candidates
/// with this in their names. `write`: also writes down what was proven, beside each walkthrough.
pub fn run(
    course: &Course,
    only: Option<&Lab>,
    named: Option<&str>,
    broker: Option<Proof>,
    write: bool,
) -> anyhow::Result<Exit> {
    let session = Session::start(&course.root)?;
    let mut table = Table::default();
    // Now, because cargo may replace it while this runs.
    let grader = session.file("grader");
    fs::copy(grader::path()?, &grader)?;
    let labs: Vec<_> =
        course.labs.iter().filter(|lab| only.is_none_or(|only| only.number == lab.number)).collect();
    let brokers = Brokers::begin(course, &session, &labs, only.is_none(), broker)?;
    say(&format!("on {}", brokers.says));
    for lab in labs {
        say(&format!("{}: {}", lab.short(), named.unwrap_or("stub, solution, mistakes and variants")));
        for (what, rows) in suites::prove(course, &session, &brokers, lab, named)? {
            table.add(lab.short(), &what, rows);
        }
        if named.is_some() {
            continue;
        }
        table.add(lab.short(), "stubs in step", vec![Row::of("generated files", stubs_in_step(lab))]);
        table.add(lab.short(), "lab.toml", manifest::prove(lab)?);
        table.add(lab.short(), "kill matrix", vec![Row::of(matrix::FILE, matrix::prove(lab, write))]);
        say(&format!("{}: walkthrough", lab.short()));
        table.add(lab.short(), "walkthrough", walkthrough::prove(course, &session, &brokers, &grader, lab)?);
    }
    if only.is_none() {
        // First, since documents have links to it.
        let trust = Row::of(trust::FILE, trust::prove(course, write));
        table.add("course", "documents", documents::prove(course)?);
        table.add("course", "figures", vec![trust, Row::of("README.md", trust::readme(course))]);
        table.add("course", "libraries are shared", libraries::prove(course, &session)?);
        say("course: the grader's and the testkit's own tests");
        for (what, rows) in own_tests::prove(course, &session, &brokers)? {
            table.add("course", &what, rows);
        }
    }
    // Again, where it is read: on a broker that was not there nothing is proven.
    anstream::print!("\nproven on {}\n{table}", brokers.says);
    Ok(if table.failed() == 0 { Exit::Passed } else { Exit::Failed })
}

/// Runs what is right so often on each broker that luck would show. `write`: keeps what was seen, for `docs/trust.md`.
pub fn flake(
    course: &Course,
    only: Option<&Lab>,
    broker: Option<Proof>,
    times: usize,
    write: bool,
) -> anyhow::Result<Exit> {
    let session = Session::start(&course.root)?;
    let labs: Vec<_> =
        course.labs.iter().filter(|lab| only.is_none_or(|only| only.number == lab.number)).collect();
    let brokers = Brokers::begin(course, &session, &labs, false, broker)?;
    say(&format!("on {}", brokers.says));
    let mut seen = flake::Flakes::default();
    for lab in labs {
        flake::prove(course, &session, &brokers, lab, times, &mut seen)?;
    }
    if write {
        seen.save(&course.root, |lab| course.labs.iter().any(|there| there.short() == lab))?;
    }
    anstream::print!("\non {}\n{seen}", brokers.says);
    Ok(if seen.failures() == 0 { Exit::Passed } else { Exit::Failed })
}

/// Has an outside judge change solutions, and says which changes no suite notices. `write`: keeps the figures, for
/// `docs/trust.md`.
pub fn mutants(
    course: &Course,
    only: Option<&Lab>,
    named: Option<&str>,
    write: bool,
) -> anyhow::Result<Exit> {
    let session = Session::start(&course.root)?;
    let labs: Vec<_> =
        course.labs.iter().filter(|lab| only.is_none_or(|only| only.number == lab.number)).collect();
    let brokers = Brokers::begin(course, &session, &labs, false, Some(Proof::Embedded))?;
    let mut table = Table::default();
    for lab in labs {
        let rows = mutants::prove(course, &session, &brokers, lab, named, write)?;
        table.add(lab.short(), "mutants that live are equal", rows);
    }
    anstream::print!("\n{table}");
    Ok(if table.failed() == 0 { Exit::Passed } else { Exit::Failed })
}

/// What is being proven now, for somebody who waits.
fn say(what: &str) {
    anstream::eprintln!("verify {what}");
}

fn stubs_in_step(lab: &Lab) -> anyhow::Result<()> {
    let differences = stubs::differences(lab)?;
    if differences.is_empty() {
        return Ok(());
    }
    let touched_by_learner = differences.iter().all(|name| sources::is_learners(name));
    if touched_by_learner && std::env::var_os("CI").is_none() {
        // A learner's own work is no fault of the course. In CI nobody learns: there it is.
        anstream::eprintln!("note: {} is not the stub; verify takes the stub from the solution", lab.name);
        return Ok(());
    }
    anyhow::bail!(
        "{} differ from what the solution says. Write them anew: cargo xtask stubs",
        differences.join(", ")
    )
}
