//! Nothing stays behind, however the grader ends.
//!
//! The guard is a process of its own that reads the grader's notes from its standard input: which process
//! groups run now. When the grader goes, by Ctrl-C, SIGTERM or SIGKILL, that input closes; the guard kills the
//! groups that are still there, and on Linux whatever else of the run's tests lives, and removes the run's folder. No
//! signal handler is needed, and none is missed.

use super::{
    orphans::{self, Started},
    signals::kill_group,
};
use anyhow::Context as _;
use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead as _, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// The grader's end: a guard that runs beside it.
#[derive(Debug)]
pub struct Guarded {
    child: Mutex<Child>,
}

impl Guarded {
    /// Starts a guard for a run whose files are in `dir`.
    pub fn start(dir: &Path, started: &Started) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command
            .arg("guard")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own: Ctrl-C in the terminal ends the grader, not its guard.
            .process_group(0);
        let mut child = started.spawn(&mut command).context("cannot start the process that cleans up")?;
        note(&mut child, &format!("dir {}", dir.display()));
        Ok(Self { child: Mutex::new(child) })
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
        note(&mut self.child.lock().unwrap_or_else(PoisonError::into_inner), line);
    }
}

fn note(child: &mut Child, line: &str) {
    if let Some(stdin) = &mut child.stdin {
        // A guard that is gone can guard nothing; the run itself is not in danger.
        let _ = writeln!(stdin, "{line}");
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(child.stdin.take());
        let _ = child.wait();
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
