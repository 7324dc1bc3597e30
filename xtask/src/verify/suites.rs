//! Proves a lab's suite against code of which it is known whether it is right.

use super::{
    candidate::{self, Candidate, Kind},
    expectation,
    table::Row,
};
use crate::{
    course::{
        Course, Lab,
        mistakes::{self, Mistake},
    },
    grade::{self, Selection, Session, Suite, build},
    scratch::{self, Scratch},
    verdict::Verdict,
};
use anyhow::anyhow;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

/// Candidates that are graded at the same time. Wrong code waits most of the time for what never comes.
const AT_A_TIME: usize = 3;

/// A candidate whose suite is built.
struct Built {
    candidate: Candidate,
    executable: PathBuf,
    dir: PathBuf,
}

/// Grades everything while the rest is still being built, and compares each verdict with what it must be.
pub fn prove(course: &Course, session: &Session, lab: &Lab) -> anyhow::Result<Vec<(&'static str, Vec<Row>)>> {
    let mut rows = Vec::new();
    let mut scratch = Scratch::begin(&course.root, &lab.name);
    let mut waiting = BTreeMap::new();
    for (candidate, files) in candidate::all(lab)? {
        match files {
            Ok(files) => {
                scratch.package(&candidate.package(), &files)?;
                waiting.insert(candidate.package(), candidate);
            }
            Err(error) => rows.push((candidate.kind, Row::of(candidate.name, Err(error)))),
        }
    }
    scratch.finish(&course.root)?;

    let known = mistakes::of_author(lab)?;
    let judged = Mutex::new(Vec::new());
    let (queue, built) = mpsc::channel::<Built>();
    let built = Mutex::new(built);
    let judge_all = || -> anyhow::Result<()> {
        loop {
            let next = built.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(next) = next else { return Ok(()) };
            let (kind, name) = (next.candidate.kind, next.candidate.name.clone());
            let result = judge(session, lab, next, &known)?;
            judged.lock().unwrap_or_else(PoisonError::into_inner).push((kind, Row::of(name, result)));
        }
    };
    thread::scope(|scope| {
        let judges: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(judge_all)).collect();
        // Takes the queue: the judges end when there is nothing left to come.
        let unbuilt = build_all(course, session, &scratch, waiting, queue)?;
        rows.extend(unbuilt.into_iter().map(|(candidate, why)| {
            (candidate.kind, Row::of(candidate.name, Err(anyhow!("does not compile\n{why}"))))
        }));
        judges.into_iter().try_for_each(|judge| judge.join().expect("a judge does not panic"))
    })?;

    rows.extend(judged.into_inner().unwrap_or_else(PoisonError::into_inner));
    rows.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let mut groups: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();
    rows.into_iter().for_each(|(kind, row)| groups.entry(kind).or_default().push(row));
    Ok(Kind::ALL.map(|(kind, what)| (what, groups.remove(&kind).unwrap_or_default())).into())
}

/// Builds every candidate and queues each as soon as it is ready. Returns those that do not compile, and why.
fn build_all(
    course: &Course,
    session: &Session,
    scratch: &Scratch,
    mut waiting: BTreeMap<String, Candidate>,
    queue: mpsc::Sender<Built>,
) -> anyhow::Result<Vec<(Candidate, String)>> {
    let mut errors = BTreeMap::new();
    let target = scratch::target_dir(&course.root).display().to_string();
    let arguments = ["--workspace", "--keep-going", "--target-dir", &target];
    let build = build::suites(session, &scratch.root, &arguments, false, |built| match built {
        build::Built::Error { package, rendered } => _ = errors.entry(package).or_insert(rendered),
        build::Built::Suite { package, executable, .. } => {
            if let Some(candidate) = waiting.remove(&package) {
                let dir = scratch.root.join(&package);
                // The judges are gone only when grading itself has failed, and that is told.
                let _ = queue.send(Built { candidate, executable, dir });
            }
        }
    })?;
    let unbuilt = waiting.into_iter().map(|(package, candidate)| {
        let why = errors.remove(&package).unwrap_or_else(|| build.stderr.clone());
        (candidate, why)
    });
    Ok(unbuilt.collect())
}

/// Outer error: the grader failed. Inner: the verdict is not what it must be.
fn judge(
    session: &Session,
    lab: &Lab,
    built: Built,
    known: &[Mistake],
) -> anyhow::Result<anyhow::Result<()>> {
    let manifest = lab.manifest()?;
    let mut verdict = Verdict::empty(lab, &manifest);
    let Built { candidate, executable, dir } = built;
    let suite = Suite { executable, dir, name: lab.name.clone(), manifest };
    grade::grade(session, &suite, known, &Selection::default(), &|_| (), &mut verdict)?;
    Ok(expectation::holds(&verdict, &candidate))
}
