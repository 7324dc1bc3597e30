//! Proves a lab's suite against code of which it is known whether it is right.

use super::{
    brokers::Brokers,
    candidate::{self, Candidate, Kind},
    expectation::{self, Unmet},
    table::Row,
};
use crate::{
    course::{
        Course, Lab,
        mistakes::{self, Mistake},
    },
    exit::Stop,
    grade::{self, Selection, Session, Suite, broker::Broker, build},
    scratch::{self, Scratch},
    verdict::{Backend, Verdict},
};
use anyhow::anyhow;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

/// Candidates that are graded at the same time. Wrong code waits most of the time for what never comes.
const AT_A_TIME: usize = 4;

/// How often a candidate with a doubtful verdict is graded again.
const LOOKS: usize = 2;

/// After so many verdicts somebody who waits is told how far it is.
const TOLD_EACH: usize = 25;

/// A candidate whose suite is built.
struct Built {
    candidate: Candidate,
    executable: PathBuf,
    dir: PathBuf,
}

/// Whose verdict, and on which broker, where the lab needs one.
type Group = (Kind, Option<Backend>);

/// Grades everything while the rest is still being built, and compares each verdict with what it must be. Where
/// there are several brokers, each candidate is graded on each of them.
pub fn prove(
    course: &Course,
    session: &Session,
    brokers: &Brokers,
    lab: &Lab,
    named: Option<&str>,
) -> anyhow::Result<Vec<(String, Vec<Row>)>> {
    let candidates: Vec<_> = candidate::all(lab)?
        .into_iter()
        .filter(|(candidate, _)| named.is_none_or(|part| candidate.name.contains(part)))
        .collect();
    if let (Some(part), true) = (named, candidates.is_empty()) {
        let next = format!("Their names are those of the patches in {}", lab.solution.display());
        return Err(
            Stop::usage(format!("{} has no mistake or variant named {part}", lab.short()), next).into()
        );
    }
    let mut unfit = Vec::new();
    let mut scratch = Scratch::begin(&course.root, &lab.name);
    let mut waiting = BTreeMap::new();
    for (candidate, files) in candidates {
        match files {
            Ok(files) => {
                scratch.package(&candidate.package(), &files)?;
                scratch.compile_once(&candidate.package());
                waiting.insert(candidate.package(), candidate);
            }
            Err(error) => unfit.push((candidate, format!("{error:#}"))),
        }
    }
    scratch.finish(&course.root)?;

    let known = mistakes::of_author(lab)?;
    let brokers = brokers.of(lab);
    let backend_of = |broker: Option<&Broker>| broker.map(|broker| broker.told.backend);
    let expected = brokers.len() * (waiting.len() + unfit.len());
    let judged = Mutex::new(Vec::new());
    let doubtful = Mutex::new(Vec::new());
    let (queue, built) = mpsc::channel::<Built>();
    let built = Mutex::new(built);
    let judge_all = || -> anyhow::Result<()> {
        loop {
            let next = built.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(next) = next else { return Ok(()) };
            let next = Arc::new(next);
            for broker in &brokers {
                let group: Group = (next.candidate.kind, backend_of(*broker));
                let row = match judge(session, lab, &next, &known, *broker)? {
                    Ok(()) => Row::of(&next.candidate.name, Ok(())),
                    Err(Unmet::Fault(why)) => Row::of(&next.candidate.name, Err(anyhow!(why))),
                    Err(Unmet::Doubtful(why)) => {
                        let mut doubtful = doubtful.lock().unwrap_or_else(PoisonError::into_inner);
                        doubtful.push((group, Arc::clone(&next), *broker, why));
                        continue;
                    }
                };
                let mut judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
                judged.push((group, row));
                if judged.len().is_multiple_of(TOLD_EACH) {
                    super::say(&format!("{}: {} of {expected} verdicts", lab.short(), judged.len()));
                }
            }
        }
    };
    thread::scope(|scope| {
        let judges: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(judge_all)).collect();
        // Takes the queue: the judges end when there is nothing left to come.
        let unbuilt = build_all(course, session, &scratch, waiting, queue)?;
        unfit.extend(
            unbuilt.into_iter().map(|(candidate, why)| (candidate, format!("does not compile\n{why}"))),
        );
        judges.into_iter().try_for_each(|judge| judge.join().expect("a judge does not panic"))
    })?;

    let mut rows = judged.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (group, built, broker, why) in doubtful.into_inner().unwrap_or_else(PoisonError::into_inner) {
        super::say(&format!("{}: {} once more, alone", lab.short(), built.candidate.name));
        rows.push((group, look_again(session, lab, &built, &known, broker, why)?));
    }
    // Told once: no broker plays a part in it.
    let first = backend_of(brokers.first().copied().flatten());
    rows.extend(
        unfit.into_iter().map(|(candidate, why)| {
            ((candidate.kind, first), Row::of(candidate.name, Err(anyhow!("{why}"))))
        }),
    );
    rows.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let mut groups: BTreeMap<Group, Vec<Row>> = BTreeMap::new();
    rows.into_iter().for_each(|(group, row)| groups.entry(group).or_default().push(row));
    let each =
        brokers.iter().flat_map(|broker| Kind::ALL.map(|(kind, what)| (kind, what, backend_of(*broker))));
    let named = each.map(|(kind, what, backend)| {
        let on = backend.map_or(String::new(), |backend| format!(" ({})", backend.name()));
        (format!("{what}{on}"), groups.remove(&(kind, backend)).unwrap_or_default())
    });
    Ok(named.collect())
}

/// Grades again, now that nothing else runs. What must be so stands when it is so each time: then the first verdict
/// was luck, and its author is told. A list of tests that is wrong does not hold even once.
///
/// Right code that was refused, and wrong code that passed, is a fault of the suite however seldom it happens, and gets
/// no second look.
fn look_again(
    session: &Session,
    lab: &Lab,
    built: &Built,
    known: &[Mistake],
    broker: Option<&Broker>,
    why: String,
) -> anyhow::Result<Row> {
    for _ in 0..LOOKS {
        if let Err(Unmet::Fault(again) | Unmet::Doubtful(again)) = judge(session, lab, built, known, broker)?
        {
            let why = format!("{why}\nand once more, alone:\n{again}");
            return Ok(Row::of(&built.candidate.name, Err(anyhow!(why))));
        }
    }
    let remark = format!("Held {LOOKS} times when it ran alone. The first time:\n{why}");
    Ok(Row { remark: Some(remark), ..Row::of(&built.candidate.name, Ok(())) })
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
    let arguments = ["--test", "suite", "--workspace", "--keep-going", "--target-dir", &target];
    let build =
        build::packages(session, &scratch.root, &arguments, build::Manner::Behind, |built| match built {
            build::Built::Error { package, rendered, .. } => _ = errors.entry(package).or_insert(rendered),
            build::Built::Program { .. } | build::Built::Library(_) => {}
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
    built: &Built,
    known: &[Mistake],
    broker: Option<&Broker>,
) -> anyhow::Result<Result<(), Unmet>> {
    let manifest = lab.manifest()?;
    let mut verdict = Verdict::empty(lab, &manifest);
    let Built { candidate, executable, dir } = built;
    let (executable, dir) = (executable.clone(), dir.clone());
    let suite = Suite { executable, dir, name: lab.name.clone(), manifest, broker };
    grade::grade(session, &suite, known, &Selection::default(), &|_| (), &mut verdict)?;
    Ok(expectation::holds(&verdict, candidate))
}
