//! What one run of the grader holds: a folder for its files, a guard that cleans up after it, the machine's pace.

use super::{guard::Guarded, orphans::Started, scale, signals::is_alive};
use anyhow::Context as _;
use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// What must be free for tests to report and print, in bytes.
const ROOM: usize = 1 << 20;

/// One run of the grader. When it is dropped, and also when the grader is killed, its folder and its processes go.
#[derive(Debug)]
pub struct Session {
    dir: PathBuf,
    guard: Guarded,
    started: Started,
    scale: f64,
    files: AtomicUsize,
    full: AtomicBool,
}

impl Session {
    /// Begins a run in a course. Sweeps what a killed run may have left.
    pub fn start(root: &Path) -> anyhow::Result<Self> {
        let runs = root.join("target/labs");
        sweep(&runs);
        let dir = runs.join(process::id().to_string());
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let started = Started::begin();
        let guard = Guarded::start(&dir, &started)?;
        let (files, full) = (AtomicUsize::new(0), AtomicBool::new(false));
        Ok(Self { dir, guard, started, scale: scale::measure(), files, full })
    }

    /// How much slower than a common machine this one is: from 1.0 to 5.0. Every limit is multiplied by it.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// A path for a new file that lives as long as this run.
    pub fn file(&self, kind: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("{number}.{kind}"))
    }

    /// Finds out whether tests still have room for their files.
    pub fn ask_for_room(&self) {
        let path = self.file("room");
        // A test may have removed the folder, and that is no lack of room.
        let _ = fs::create_dir_all(&self.dir);
        // Written, not asked for: a quota, too, says no only then.
        let full = fs::write(&path, vec![1; ROOM]).is_err();
        let _ = fs::remove_file(path);
        self.full.fetch_or(full, Ordering::Relaxed);
    }

    /// The folder of this run, if it had no room since this was last asked: nobody can say then why a test failed.
    pub fn was_full(&self) -> Option<&Path> {
        self.full.swap(false, Ordering::Relaxed).then_some(self.dir.as_path())
    }

    /// The processes of this run.
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// Kills a group of processes should the grader end before it.
    pub fn guard(&self) -> &Guarded {
        &self.guard
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Whatever cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Removes the folders of runs whose process is gone.
fn sweep(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let owner = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let alive = owner.is_some_and(is_alive);
        if !alive {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
