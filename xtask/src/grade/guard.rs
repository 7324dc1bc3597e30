//! Nothing stays behind, however the grader ends.
//!
//! The guard is a process of its own that reads the grader's notes from its standard input: which process
//! groups run now. When the grader goes, by Ctrl-C, SIGTERM or SIGKILL, that input closes; the guard kills the
//! groups that are still there, and on Linux whatever else of the run's tests lives, and removes the run's folder. No
//! signal handler is needed, and none is missed.

use super::{
    orphans::{self, Started},
    signals::{self, kill_group},
};
use anyhow::Context as _;
use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead as _},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt as _},
    },
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// The grader's end: a guard that runs beside it.
#[derive(Debug)]
pub struct Guarded {
    child: Child,
    notes: Mutex<Option<UnixStream>>,
}

impl Guarded {
    /// Starts a guard for a run whose files are in `dir`.
    pub fn start(dir: &Path, started: &Started) -> anyhow::Result<Self> {
        // Not a pipe: who writes into one that nobody reads any more is ended by a signal.
        let (notes, theirs) = UnixStream::pair().context("no connection to the process that cleans up")?;
        let mut command = Command::new(env::current_exe()?);
        command
            .arg("guard")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own: Ctrl-C in the terminal ends the grader, not its guard.
            .process_group(0);
        let child = started.spawn(&mut command).context("cannot start the process that cleans up")?;
        let guarded = Self { child, notes: Mutex::new(Some(notes)) };
        guarded.note(&format!("dir {}", dir.display()));
        Ok(guarded)
    }

    /// A process group began.
    pub fn began(&self, group: u32) {
        self.note(&format!("began {group}"));
    }

    /// A process group is gone.
    pub fn gone(&self, group: u32) {
        self.note(&format!("gone {group}"));
    }

    fn note(&self, line: &str) {
        if let Some(notes) = &*self.notes.lock().unwrap_or_else(PoisonError::into_inner) {
            // A guard that is gone can guard nothing; the run itself is not in danger.
            let _ = signals::send(notes, format!("{line}\n").as_bytes());
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Its input ends.
        self.notes.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let _ = self.child.wait();
    }
}

/// The guard's own life: `cargo xtask guard`.
pub fn guard() {
    let mut groups = BTreeSet::new();
    let mut dir = None;
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("dir", path)) => dir = Some(path.to_owned()),
            Some(("began", group)) => _ = groups.insert(group.to_owned()),
            Some(("gone", group)) => _ = groups.remove(group),
            _ => {}
        }
    }
    for group in groups.iter().filter_map(|group| group.parse().ok()) {
        kill_group(group);
    }
    if let Some(dir) = dir {
        orphans::end_all_of(Path::new(&dir));
        let _ = fs::remove_dir_all(dir);
    }
}
