//! Builds candidates, each with the suite against it, in a workspace of their own.

use super::candidate::Candidate;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError, mpsc},
    thread,
};
use xtask::{
    course::{Course, Lab},
    files::Files,
    grade::{Session, build},
    scratch::{self, Scratch},
};

/// A candidate whose suite is built.
pub struct Built {
    pub candidate: Candidate,
    pub executable: PathBuf,
    pub dir: PathBuf,
}

/// Why there is nothing to grade.
pub type Unfit = (Candidate, String);

/// Candidates whose files are written and that wait to be built.
pub struct Waiting {
    scratch: Scratch,
    by_package: BTreeMap<String, Candidate>,
}

impl Waiting {
    /// Writes the files of candidates of one lab. Patches that do not fit come back.
    pub fn write(
        course: &Course,
        lab: &Lab,
        candidates: Vec<(Candidate, anyhow::Result<Files>)>,
    ) -> anyhow::Result<(Self, Vec<Unfit>)> {
        let mut unfit = Vec::new();
        let mut scratch = Scratch::begin(&course.root, &lab.name);
        let mut by_package = BTreeMap::new();
        for (candidate, files) in candidates {
            match files {
                Ok(files) => {
                    scratch.package(&candidate.package(), &files)?;
                    scratch.compile_once(&candidate.package());
                    by_package.insert(candidate.package(), candidate);
                }
                Err(error) => unfit.push((candidate, format!("{error:#}"))),
            }
        }
        scratch.finish(&course.root)?;
        Ok((Self { scratch, by_package }, unfit))
    }

    pub fn len(&self) -> usize {
        self.by_package.len()
    }

    /// Builds every candidate, while so many threads judge those that are ready. Returns those that do not compile, and
    /// why.
    pub fn judge(
        self,
        course: &Course,
        session: &Session,
        judges: usize,
        judge: impl Fn(Built) -> anyhow::Result<()> + Sync,
    ) -> anyhow::Result<Vec<Unfit>> {
        let (queue, built) = mpsc::channel();
        let built = Mutex::new(built);
        let work = || -> anyhow::Result<()> {
            loop {
                let next = built.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(next) = next else { return Ok(()) };
                judge(next)?;
            }
        };
        thread::scope(|scope| {
            let judges: Vec<_> = (0..judges).map(|_| scope.spawn(work)).collect();
            // Takes the queue: the judges end when there is nothing left to come.
            let unfit = self.build(course, session, queue)?;
            judges.into_iter().try_for_each(|judge| judge.join().expect("a judge does not panic"))?;
            Ok(unfit)
        })
    }

    /// Builds every candidate and queues each as soon as it is ready. Returns those that do not compile, and why.
    pub fn build(
        mut self,
        course: &Course,
        session: &Session,
        queue: mpsc::Sender<Built>,
    ) -> anyhow::Result<Vec<Unfit>> {
        let mut errors = BTreeMap::new();
        let target = scratch::target_dir(&course.root).display().to_string();
        let arguments = ["--test", "suite", "--workspace", "--keep-going", "--target-dir", &target];
        let root = &self.scratch.root;
        let build = build::packages(session, root, &arguments, build::Manner::Behind, |built| match built {
            build::Built::Error { package, rendered, .. } => {
                _ = errors.entry(package).or_insert(rendered);
            }
            build::Built::Program { .. } | build::Built::Library(_) => {}
            build::Built::Suite { package, executable, .. } => {
                if let Some(candidate) = self.by_package.remove(&package) {
                    let dir = root.join(&package);
                    // The judges are gone only when grading itself has failed, and that is told.
                    let _ = queue.send(Built { candidate, executable, dir });
                }
            }
        })?;
        let unbuilt = self.by_package.into_iter().map(|(package, candidate)| {
            let why = errors.remove(&package).unwrap_or_else(|| build.stderr.clone());
            (candidate, format!("does not compile\n{why}"))
        });
        Ok(unbuilt.collect())
    }
}
