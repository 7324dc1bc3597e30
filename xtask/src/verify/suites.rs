//! Proves a lab's suite against code of which it is known whether it is right: the stub, the solution, each
//! mistake and each variant, each a package of a scratch workspace.

use super::table::Row;
use crate::{
    course::{Course, Lab, generate, mistakes::Mistake, patch::Patch},
    files::Files,
    grade::{self, Selection, Session, Suite, build},
    scratch::Scratch,
    verdict::{Outcome, Test, TestOutcome, Verdict},
};
use anyhow::{anyhow, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Code to grade, and what its verdict must be.
struct Candidate {
    kind: Kind,
    name: String,
    /// The tests that must fail.
    fails: BTreeSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Solution,
    Stub,
    Mistake,
    Variant,
}

impl Kind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Solution, "solution passes"),
        (Self::Stub, "stub is not implemented"),
        (Self::Mistake, "mistakes are caught and named"),
        (Self::Variant, "variants pass"),
    ];

    fn folder(self) -> &'static str {
        match self {
            Self::Solution => "solution",
            Self::Stub => "stub",
            Self::Mistake => "mistake",
            Self::Variant => "variant",
        }
    }
}

/// Builds and grades everything, and compares each verdict with what it must be.
pub fn prove(course: &Course, session: &Session, lab: &Lab) -> anyhow::Result<Vec<(&'static str, Vec<Row>)>> {
    let mut scratch = Scratch::begin(&course.root, &lab.name);
    let mut candidates = BTreeMap::new();
    let mut rows: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();

    let author = generate::author_files(lab.solution()?)?;
    let sources = generate::sources(&author)?;
    let patches = |folder| Patch::load_all(&lab.solution.join(folder));
    let mut add = |candidate: Candidate, files: anyhow::Result<Files>| -> anyhow::Result<()> {
        let package = format!("{}-{}", candidate.kind.folder(), candidate.name);
        match files {
            Ok(files) => {
                scratch.package(&package, &as_package(lab, &package, files))?;
                candidates.insert(package, candidate);
            }
            Err(error) => rows.entry(candidate.kind).or_default().push(Row::of(candidate.name, Err(error))),
        }
        Ok(())
    };
    let plain = |kind| Candidate { kind, name: lab.number.clone(), fails: BTreeSet::new() };
    add(plain(Kind::Stub), Ok(sources.stub))?;
    add(plain(Kind::Solution), Ok(sources.solution))?;
    let mistakes = patches("mistakes")?;
    for (kind, patch) in mistakes
        .iter()
        .map(|patch| (Kind::Mistake, patch))
        .chain(patches("variants")?.iter().map(|patch| (Kind::Variant, patch)))
    {
        let candidate = Candidate { kind, name: patch.name.clone(), fails: patch.fails.clone() };
        add(candidate, patched(&author, patch))?;
    }
    scratch.finish(&course.root)?;

    let known: Vec<Mistake> = mistakes.iter().map(Mistake::from).collect();
    let mut errors: BTreeMap<String, String> = BTreeMap::new();
    let mut judged = BTreeSet::new();
    let target = crate::scratch::target_dir(&course.root).display().to_string();
    let arguments = ["--workspace", "--keep-going", "--target-dir", &target];
    let mut failure = None;
    let build = build::suites(session, &scratch.root, &arguments, false, |built| match built {
        build::Built::Error { package, rendered } => _ = errors.entry(package).or_insert(rendered),
        build::Built::Suite { package, executable } => {
            let Some(candidate) = candidates.get(&package) else { return };
            let dir = scratch.root.join(&package);
            match judge(session, lab, candidate, executable, dir, &known) {
                Ok(result) => rows.entry(candidate.kind).or_default().push(Row::of(&candidate.name, result)),
                Err(error) => failure = Some(error),
            }
            judged.insert(package);
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    for (package, candidate) in candidates.iter().filter(|(package, _)| !judged.contains(*package)) {
        let why = errors.remove(package).unwrap_or_else(|| build.stderr.clone());
        rows.entry(candidate.kind)
            .or_default()
            .push(Row::of(&candidate.name, Err(anyhow!("does not compile\n{why}"))));
    }
    Ok(Kind::ALL.into_iter().map(|(kind, what)| (what, rows.remove(&kind).unwrap_or_default())).collect())
}

/// The code of a learner who made this mistake, or who built it this way.
fn patched(author: &Files, patch: &Patch) -> anyhow::Result<Files> {
    Ok(generate::sources(&patch.apply(author)?)?.solution)
}

/// Turns a lab's sources into a package of its own name whose tests are the lab's suite.
fn as_package(lab: &Lab, package: &str, mut files: Files) -> Files {
    // Nothing but the library is graded; a binary for each package would cost seconds of linking.
    files.remove("src/main.rs");
    let (lab_crate, own_crate) = (lab.name.replace('-', "_"), package.replace('-', "_"));
    for text in files.values_mut() {
        *text = text.replace(&lab.name, package).replace(&lab_crate, &own_crate);
    }
    let suite = lab.dir.join("tests/suite/main.rs");
    let tests =
        format!("extern crate {own_crate} as {lab_crate};\ninclude!({:?});\n", suite.display().to_string());
    files.insert("tests/suite.rs".into(), tests);
    files
}

/// Outer error: the grader failed. Inner: the verdict is not what it must be.
fn judge(
    session: &Session,
    lab: &Lab,
    candidate: &Candidate,
    executable: PathBuf,
    dir: PathBuf,
    known: &[Mistake],
) -> anyhow::Result<anyhow::Result<()>> {
    let manifest = lab.manifest()?;
    let mut verdict = Verdict::empty(lab, &manifest);
    let suite = Suite { executable, dir, name: lab.name.clone(), manifest };
    grade::grade(session, &suite, known, &Selection::default(), &|_| (), &mut verdict)?;
    if let Some(problem) = &verdict.problem {
        return Ok(Err(anyhow!("{}\n  {}", problem.what, problem.details.join("\n  "))));
    }
    Ok(match candidate.kind {
        Kind::Solution | Kind::Variant => passes(&verdict),
        Kind::Stub => is_not_implemented(&verdict),
        Kind::Mistake => is_caught(&verdict, candidate),
    })
}

fn passes(verdict: &Verdict) -> anyhow::Result<()> {
    if verdict.outcome == Outcome::Passed && verdict.points == verdict.points_possible {
        return Ok(());
    }
    bail!(
        "right code did not pass:\n{}",
        describe(verdict.tests().filter(|test| test.outcome != TestOutcome::Passed))
    )
}

fn is_not_implemented(verdict: &Verdict) -> anyhow::Result<()> {
    let wrong: Vec<_> = verdict.tests().filter(|test| test.outcome != TestOutcome::NotImplemented).collect();
    if wrong.is_empty() && verdict.points == 0 {
        return Ok(());
    }
    bail!("on the stub every test must reach a todo!():\n{}", describe(wrong.into_iter()))
}

fn is_caught(verdict: &Verdict, candidate: &Candidate) -> anyhow::Result<()> {
    let failed: BTreeSet<String> =
        verdict.tests().filter(|test| test.outcome.is_failure()).map(|test| test.name.clone()).collect();
    if failed.is_empty() {
        bail!("wrong code passed");
    }
    if let Some(test) = verdict.tests().find(|test| test.outcome == TestOutcome::NotImplemented) {
        bail!("{} reached a todo!()", test.name);
    }
    if failed != candidate.fails {
        let missed: Vec<_> = candidate.fails.difference(&failed).collect();
        let surplus = verdict
            .tests()
            .filter(|test| failed.contains(&test.name) && !candidate.fails.contains(&test.name));
        bail!("must fail but passed: {missed:?}\nfailed but is not named:\n{}", describe(surplus));
    }
    if candidate.fails.is_empty() || !verdict.likely.iter().any(|likely| likely.name == candidate.name) {
        let named: Vec<_> = verdict.likely.iter().map(|likely| &likely.name).collect();
        bail!("its verdict names {named:?} instead");
    }
    Ok(())
}

fn describe<'a>(tests: impl Iterator<Item = &'a Test>) -> String {
    let line = |test: &Test| {
        let why = test.failure.as_ref().map(|failure| {
            let seen = failure.seen.as_deref().or(failure.output.as_deref()).unwrap_or_default();
            format!("{} {seen} {}", failure.what, failure.panics.join("; "))
        });
        format!("  {} {:?} after {} ms: {}\n", test.name, test.outcome, test.millis, why.unwrap_or_default())
    };
    tests.map(line).collect()
}
