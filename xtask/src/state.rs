//! What the grader remembers of a learner: `.labs/state.json`.

use crate::{course::Course, exit::Stop, verdict};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

/// The format of the file. A file of a later version is set aside, not guessed at.
const VERSION: u32 = 1;

/// Everything that is remembered. Labs are known by their numbers, so a renamed lab keeps its history.
#[derive(Debug, Deserialize, Serialize)]
pub struct State {
    version: u32,
    labs: BTreeMap<String, LabState>,
    #[serde(skip)]
    dir: PathBuf,
}

/// What is remembered of one lab.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct LabState {
    /// The numbers of the steps that passed when they were last graded.
    pub passed: BTreeSet<usize>,
    /// How many hints were shown, by step.
    pub hints: BTreeMap<usize, usize>,
    /// The whole lab passed at some time: its solution is no secret any more.
    pub completed: bool,
    /// It was graded at some time.
    pub tried: bool,
}

impl State {
    /// Reads the state of a course. A damaged file is reported and set aside: it never stops a learner.
    pub fn load(course: &Course) -> anyhow::Result<Self> {
        let dir = course.state_dir();
        let path = dir.join("state.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::empty(dir)),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(state) if state.version == VERSION => Ok(Self { dir, ..state }),
            _ => {
                let aside = free_name(|n| dir.join(format!("state.damaged-{n}.json")));
                fs::rename(&path, &aside).with_context(|| format!("cannot move {}", path.display()))?;
                anstream::eprintln!(
                    "note: the record of your progress was damaged. It is kept as {}; a check of each lab\n\
                     writes a new one.",
                    aside.strip_prefix(&course.root).unwrap_or(&aside).display()
                );
                Ok(Self::empty(dir))
            }
        }
    }

    fn empty(dir: PathBuf) -> Self {
        Self { version: VERSION, labs: BTreeMap::new(), dir }
    }

    /// What is remembered of a lab.
    pub fn lab(&self, number: &str) -> LabState {
        self.labs.get(number).cloned().unwrap_or_default()
    }

    /// Changes what is remembered of a lab.
    pub fn lab_mut(&mut self, number: &str) -> &mut LabState {
        self.labs.entry(number.to_owned()).or_default()
    }

    /// Writes the state so that a reader, or a crash, meets the old file or the new one, never a half.
    pub fn save(&self) -> anyhow::Result<()> {
        let write = || -> anyhow::Result<()> {
            fs::create_dir_all(&self.dir)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.flush()?;
            file.persist(self.dir.join("state.json"))?;
            Ok(())
        };
        write().map_err(|error| {
            let what = format!("your progress could not be written to {}: {error:#}", self.dir.display());
            Stop::new(
                crate::exit::Exit::Infrastructure,
                what,
                "Look at the disk's space and the folder's owner.",
            )
            .into()
        })
    }
}

impl LabState {
    /// Takes in what a check found. Steps that were not graded keep what is known of them.
    pub fn record(&mut self, verdict: &verdict::Verdict, steps_in_all: usize) {
        if verdict.steps.is_empty() {
            return;
        }
        self.tried = true;
        for step in &verdict.steps {
            match step.state {
                verdict::State::Passed => _ = self.passed.insert(step.number),
                // Nothing was learnt about it.
                verdict::State::NotGradable => {}
                _ => _ = self.passed.remove(&step.number),
            }
        }
        // Every step in one check: steps that passed one by one may have broken each other.
        let all = verdict.steps.iter().all(|step| step.state == verdict::State::Passed);
        self.completed |= all && verdict.steps.len() == steps_in_all;
    }
}

/// The first of some numbered paths that is not there yet.
pub fn free_name(path: impl Fn(usize) -> PathBuf) -> PathBuf {
    (1..).map(path).find(|path| !path.exists()).expect("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course() -> (tempfile::TempDir, Course) {
        let dir = tempfile::tempdir().unwrap();
        let course = Course { root: dir.path().into(), labs: Vec::new() };
        (dir, course)
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let (_dir, course) = course();
        let mut state = State::load(&course).unwrap();
        state.lab_mut("01").passed.insert(2);
        state.save().unwrap();
        assert_eq!(State::load(&course).unwrap().lab("01").passed, BTreeSet::from([2]));
        assert_eq!(fs::read_dir(course.state_dir()).unwrap().count(), 1, "no temporary file stays behind");
    }

    #[test]
    fn a_damaged_or_newer_file_is_kept_aside() {
        let (_dir, course) = course();
        fs::create_dir(course.state_dir()).unwrap();
        for (n, text) in (1..).zip(["{", "{\"version\":99,\"labs\":{}}", "\u{0}"]) {
            fs::write(course.state_dir().join("state.json"), text).unwrap();
            assert!(State::load(&course).unwrap().labs.is_empty());
            let aside = course.state_dir().join(format!("state.damaged-{n}.json"));
            assert_eq!(fs::read_to_string(aside).unwrap(), text);
        }
    }
}
