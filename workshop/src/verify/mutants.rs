//! An outside judge of the suites. `cargo mutants` changes a solution in every way that it knows, one at a time; the suite
//! must notice each, or somebody must say why there is nothing to notice.
//!
//! What a mutant is, the judge decides. Building and grading is the course's own: each mutant is graded as a
//! learner's code is, a test to a process, and none of it touches the checkout.

use super::{
    brokers::Brokers,
    built::{Built, Waiting},
    candidate::{self, Kind},
    suites::{Ends, grade},
    table::Row,
};
use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    sync::{Mutex, PoisonError},
};
use xtask::{
    course::{Course, Lab, manifest::Manifest, sources},
    exit::{Exit, Stop},
    files::Files,
    grade::{Session, build::cargo},
};

/// What was found of a solution, beside it.
const FILE: &str = "mutants.toml";

/// Mutants that are graded at the same time.
const AT_A_TIME: usize = 4;

/// A mutant may hang in each of its tests. Right code needs some seconds for any.
const TEST_SECONDS: u64 = 20;

/// Somebody who waits is told how far it is after so many.
const TOLD_EACH: usize = 25;

/// What the judge said: every mutant of what a learner writes is caught, or its behaviour is the same and somebody says
/// why.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    pub caught: usize,
    /// Those that live in code that the stub has as well: it is given, and a suite that grades learners does not grade it.
    pub given: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equal: Vec<Equal>,
}

/// A mutant that behaves as the contract says.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Equal {
    pub mutant: String,
    pub why: String,
}

impl Found {
    /// What was written down. `None`: the judge was never asked.
    pub fn load(lab: &Lab) -> anyhow::Result<Option<Self>> {
        let path = lab.solution()?.join(FILE);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        Ok(Some(toml::from_str(&text).with_context(|| path.display().to_string())?))
    }

    fn save(&self, lab: &Lab) -> anyhow::Result<()> {
        let head =
            "# Written by `cargo xtask mutants --write`; why a mutant is equal, its author writes.\n\n";
        Ok(fs::write(lab.solution()?.join(FILE), format!("{head}{}", toml::to_string(self)?))?)
    }
}

/// A change of the solution, as `cargo mutants --list --json` tells it.
#[derive(Debug, Deserialize)]
struct Mutant {
    /// With file, line and column.
    name: String,
    file: String,
    genre: String,
    span: Span,
    diff: String,
}

#[derive(Debug, Deserialize)]
struct Span {
    start: Position,
}

#[derive(Debug, Deserialize)]
struct Position {
    line: usize,
}

impl Mutant {
    /// What it is called where it is written down. Without a line's number, which every edit above changes; with the
    /// line itself, where a function may hold the same operator twice.
    fn known_as(&self, original: &str) -> String {
        let file = self.file.rsplit('/').next().unwrap_or(&self.file);
        let change = self.name.splitn(4, ':').nth(3).unwrap_or(&self.name).trim();
        let line = original.lines().nth(self.span.start.line.saturating_sub(1)).unwrap_or_default().trim();
        let at = if self.genre == "FnValue" { String::new() } else { format!(", at `{line}`") };
        format!("{file}: {change}{at}")
    }
}

/// Grades every mutant of a lab's solution, or those with `named` in their names, on one broker. `write`: keeps the
/// figures when no mutant is left unexplained.
pub fn prove(
    course: &Course,
    session: &Session,
    brokers: &Brokers,
    lab: &Lab,
    named: Option<&str>,
    write: bool,
) -> anyhow::Result<Vec<Row>> {
    let author = sources::author_files(lab.solution()?)?;
    let stub = sources::of(&author)?.stub;
    let mut called = BTreeMap::new();
    let mut candidates = Vec::new();
    for (number, mutant) in list(course, lab)?.into_iter().enumerate() {
        let (files, known_as) = mutated(lab, &author, &mutant)?;
        if named.is_some_and(|part| !known_as.contains(part)) {
            continue;
        }
        let name = format!("{}-{number:03}", lab.number);
        let is_given = sources::of(&files)?.stub != stub;
        called.insert(name.clone(), (known_as, is_given));
        candidates.push(candidate::of_author(lab, Kind::Mutant, name, files));
    }
    super::say(&format!("{}: {} mutants", lab.short(), candidates.len()));
    let (waiting, unfit) = Waiting::write(course, lab, candidates)?;
    if let Some((_, why)) = unfit.into_iter().next() {
        return Err(anyhow!(why));
    }
    let broker = brokers.of(lab).into_iter().next().flatten();
    let judged = Mutex::new(Vec::new());
    let quickly = |manifest| Manifest { test_seconds: TEST_SECONDS, ..manifest };
    let judge = |built: Built| -> anyhow::Result<()> {
        let verdict = grade(session, lab, &built, &[], broker, Ends::new(), quickly)?;
        // Hundreds of them would fill a disk.
        let _ = fs::remove_file(&built.executable);
        let noticed = verdict.tests().any(|test| test.outcome.is_failure());
        if let Some(problem) = verdict.problem {
            return Err(Stop::new(Exit::Infrastructure, problem.what, problem.next).into());
        }
        let mut judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
        judged.push((built.candidate.name, noticed));
        if judged.len().is_multiple_of(TOLD_EACH) {
            super::say(&format!("{}: {}", lab.short(), judged.len()));
        }
        Ok(())
    };
    // What does not compile is no mutant.
    waiting.judge(course, session, AT_A_TIME, judge)?;
    let judged = judged.into_inner().unwrap_or_else(PoisonError::into_inner);
    let caught = judged.iter().filter(|(_, noticed)| *noticed).count();
    let lives = judged.iter().filter(|(_, noticed)| !noticed).map(|(name, _)| called[name].clone());
    let (given, mut survivors): (Vec<_>, Vec<_>) = lives.partition(|(_, is_given)| *is_given);
    survivors.sort();
    let (given, survivors) = (given.len(), survivors.into_iter().map(|(known_as, _)| known_as).collect());
    super::say(&format!(
        "{}: of {} mutants {caught} are caught; {given} live in code that is given",
        lab.short(),
        judged.len()
    ));

    let known = Found::load(lab)?.unwrap_or_default().equal;
    let (equal, rows) = compare(survivors, known, named.is_none());
    if write && named.is_none() && rows.iter().all(|row| row.fault.is_none()) {
        Found { caught, given, equal }.save(lab)?;
    }
    Ok(rows)
}

/// Each survivor with the reason that is known for it. `all`: a reason without a survivor is out of date.
fn compare(survivors: Vec<String>, mut known: Vec<Equal>, all: bool) -> (Vec<Equal>, Vec<Row>) {
    let (mut equal, mut rows) = (Vec::new(), Vec::new());
    for mutant in survivors {
        let reason = match known.iter().position(|equal| equal.mutant == mutant) {
            Some(at) => {
                equal.push(known.remove(at));
                Ok(())
            }
            None => Err(anyhow!("no test notices it. Write one, or say in {FILE} why it is equal")),
        };
        rows.push(Row::of(mutant, reason));
    }
    let stale = known.into_iter().filter(|_| all).map(|equal| {
        let why = anyhow!("{FILE} says why it is equal, and it is caught now or is no mutant any more");
        Row::of(equal.mutant, Err(why))
    });
    rows.extend(stale);
    (equal, rows)
}

/// The author's files with a mutant's change, and what it is called.
fn mutated(lab: &Lab, author: &Files, mutant: &Mutant) -> anyhow::Result<(Files, String)> {
    let folder = format!("solutions/{}/", lab.name);
    let name = mutant.file.strip_prefix(&folder).context("it lies outside of the solution")?;
    let original = author.get(name).with_context(|| format!("{name} is not there"))?;
    // Its head is prose and no file's name.
    let hunks = mutant.diff.find("@@").map_or("", |at| &mutant.diff[at..]);
    let diff = diffy::Patch::from_str(hunks).context("its diff cannot be read")?;
    let text = diffy::apply(original, &diff).with_context(|| format!("{} does not fit", mutant.name))?;
    let mut files = author.clone();
    files.insert(name.to_owned(), text);
    Ok((files, mutant.known_as(original)))
}

/// Every mutant of a solution but for those of its runnable program, which no suite grades: the walkthrough runs it.
fn list(course: &Course, lab: &Lab) -> anyhow::Result<Vec<Mutant>> {
    let mut command = Command::new(cargo());
    let package = format!("solutions/{}/src/**/*.rs", lab.name);
    command.args([
        "mutants",
        "--list",
        "--json",
        "--workspace",
        "--file",
        &package,
        "--exclude",
        "**/main.rs",
    ]);
    let listed = command.current_dir(&course.root).output().context("cargo cannot be started")?;
    if !listed.status.success() {
        let why = String::from_utf8_lossy(&listed.stderr);
        let what = format!("the mutants cannot be listed: {}", why.trim());
        return Err(Stop::usage(what, "Install the judge: cargo install --locked cargo-mutants").into());
    }
    serde_json::from_slice(&listed.stdout).context("what `cargo mutants --list --json` says has changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(mutant: &str) -> Equal {
        Equal { mutant: mutant.into(), why: "w".into() }
    }

    fn faults(survivors: &[&str], known: &[&str]) -> Vec<(String, bool)> {
        let survivors = survivors.iter().map(|name| (*name).to_owned()).collect();
        let known = known.iter().map(|name| equal(name)).collect();
        let (_, rows) = compare(survivors, known, true);
        rows.into_iter().map(|row| (row.name, row.fault.is_some())).collect()
    }

    #[test]
    fn each_survivor_needs_a_reason_and_each_reason_a_survivor() {
        assert_eq!(faults(&["a"], &["a"]), [("a".into(), false)]);
        assert_eq!(faults(&["a"], &[]), [("a".into(), true)]);
        assert_eq!(faults(&[], &["a"]), [("a".into(), true)]);
        assert_eq!(faults(&["a", "a"], &["a"]), [("a".into(), false), ("a".into(), true)], "one for each");
    }

    #[test]
    fn a_mutant_is_known_by_its_line_and_not_by_the_number_of_it() {
        let text = r#"{"name": "solutions/lab-00-x/src/a.rs:2:5: replace == with != in f", "package": "p",
            "file": "solutions/lab-00-x/src/a.rs", "function": null, "replacement": "!=", "genre": "BinaryOperator",
            "span": {"start": {"line": 2, "column": 5}, "end": {"line": 2, "column": 7}}, "diff": ""}"#;
        let mutant: Mutant = serde_json::from_str(text).unwrap();
        assert_eq!(mutant.known_as("one\n  a == b\n"), "a.rs: replace == with != in f, at `a == b`");
    }
}
