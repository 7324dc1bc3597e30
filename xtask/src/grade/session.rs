//! What one run of the grader holds: a folder for its files, a guard that cleans up after it, the machine's pace.

use super::{guard::Guarded, scale, signals::is_alive};
use anyhow::Context as _;
use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicUsize, Ordering},
};

/// One run of the grader. When it is dropped, and also when the grader is killed, its folder and its processes go.
#[derive(Debug)]
pub struct Session {
    dir: PathBuf,
    guard: Guarded,
    scale: f64,
    files: AtomicUsize,
}

impl Session {
    /// Begins a run in a course. Sweeps what a killed run may have left.
    pub fn start(root: &Path) -> anyhow::Result<Self> {
        let runs = root.join("target/labs");
        sweep(&runs);
        let dir = runs.join(process::id().to_string());
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let guard = Guarded::start(&dir)?;
        Ok(Self { dir, guard, scale: scale::measure(), files: AtomicUsize::new(0) })
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
