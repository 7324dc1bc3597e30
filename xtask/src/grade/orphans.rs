//! What a test leaves running outside its process group, as a daemon does: it takes a session of its own, and its
//! parent ends. Killing the group does not reach it.
//!
//! On Linux the grader adopts such processes in the place of `init`, finds them among its children when their test has
//! ended, and ends them. Elsewhere nobody can be asked for them, and they stay.
//!
//! A process is known by its test's report in its environment, which it has from its parents. One that has emptied
//! its environment still has the limits of a test; nobody knows of which, so that it ends when no test runs any more.
//! (So does one that is just being replaced by another program: it has no environment for a moment.) What else may come
//! here, such as a compiler's cache that a build has started, is nobody's business but its owner's, and stays.

use super::signals;
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Mutex, PoisonError},
};

/// The processes that the grader itself has started and not yet waited for.
#[derive(Debug)]
pub struct Started {
    ids: Mutex<BTreeSet<u32>>,
    /// The reports of the tests that run.
    tests: Mutex<BTreeSet<PathBuf>>,
}

/// A test that runs. What it has left ends when this is dropped; it must have ended itself then.
#[derive(Debug)]
pub struct Test<'a> {
    started: &'a Started,
    report: &'a Path,
}

impl Started {
    /// From now on orphans come here.
    pub fn begin() -> Self {
        signals::adopt_orphans();
        Self { ids: Mutex::default(), tests: Mutex::default() }
    }

    /// Starts a process. It cannot be taken for an orphan: nobody looks for those meanwhile.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn()?;
        ids.insert(child.id());
        Ok(child)
    }

    /// A test begins, `report` being its report.
    pub fn test<'a>(&'a self, report: &'a Path) -> Test<'a> {
        self.tests.lock().unwrap_or_else(PoisonError::into_inner).insert(report.to_owned());
        Test { started: self, report }
    }

    /// A process was waited for.
    pub fn ended(&self, id: u32) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

impl Drop for Test<'_> {
    fn drop(&mut self) {
        self.started.tests.lock().unwrap_or_else(PoisonError::into_inner).remove(self.report);
        self.started.end_orphans(self.report);
    }
}

/// Elsewhere nobody knows whose a process was.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::Started;
    use std::path::Path;

    impl Started {
        pub(super) fn end_orphans(&self, _report: &Path) {}
    }

    pub fn end_all_of(_run: &Path) {}
}

#[cfg(target_os = "linux")]
mod system {
    use super::{Started, signals};
    use crate::grade::{limits, run::REPORT};
    use std::{
        collections::BTreeSet,
        ffi::OsStr,
        fs,
        os::unix::ffi::OsStrExt as _,
        path::{Path, PathBuf},
        process,
        sync::PoisonError,
        thread,
        time::{Duration, Instant},
    };

    /// The longest time for it. Killed processes are gone in milliseconds; only one that waits for a broken disk is not.
    const BOUND: Duration = Duration::from_secs(10);
    const TICK: Duration = Duration::from_millis(1);

    impl Started {
        /// Ends what the tests of a run have left that are over. `report` is that of one of them.
        pub(super) fn end_orphans(&self, report: &Path) {
            let (began, mut killed) = (Instant::now(), BTreeSet::new());
            while began.elapsed() < BOUND {
                let orphans = self.orphans();
                let left = orphans.iter().copied().filter(|id| self.is_left_over(*id, report));
                // Somebody else's, such as one that `sudo` has started, cannot be killed, and stays.
                killed.extend(left.filter(|id| signals::kill(*id)));
                // Each hands its own children on to the grader when it is gone, and not before.
                if !orphans.iter().any(|id| killed.contains(id)) {
                    return;
                }
                thread::sleep(TICK);
            }
        }

        fn is_left_over(&self, id: i32, report: &Path) -> bool {
            let (of, limited) = (report_of(id), limits::are_on(id));
            // Asked last: of a test that has begun meanwhile there is none among the orphans.
            let tests = self.tests.lock().unwrap_or_else(PoisonError::into_inner);
            match of {
                Some(of) if of.parent() == report.parent() => !tests.contains(&of),
                _ => limited && tests.is_empty(),
            }
        }

        /// The grader's children that it has not started. Those that have ended are waited for, as is a parent's duty.
        fn orphans(&self) -> Vec<i32> {
            let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
            // They come to the first thread.
            let id = process::id();
            let text = fs::read_to_string(format!("/proc/self/task/{id}/children")).unwrap_or_default();
            let children = text.split_whitespace().filter_map(|id| id.parse().ok());
            let own = |id: &i32| ids.contains(&id.unsigned_abs());
            children.filter(|id| !own(id) && !signals::is_over(*id)).collect()
        }
    }

    /// Ends every process of a run whose grader was killed. They are no children of this process: it finds them among
    /// all that there are.
    pub fn end_all_of(run: &Path) {
        let of_run = |id: &i32| report_of(*id).is_some_and(|report| report.starts_with(run));
        let all = || fs::read_dir("/proc").into_iter().flatten().flatten();
        let (began, mut seen_none) = (Instant::now(), 0);
        // Twice: one that is just being replaced by another program is not known at that moment.
        while began.elapsed() < BOUND && seen_none < 2 {
            let ids = all().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            let killed = ids.filter(of_run).filter(|id| signals::kill(*id)).count();
            seen_none = if killed == 0 { seen_none + 1 } else { 0 };
            thread::sleep(TICK);
        }
    }

    /// The report of the test that a process belongs to, if it does.
    fn report_of(id: i32) -> Option<PathBuf> {
        let environment = fs::read(format!("/proc/{id}/environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        let value = |variable| <[u8]>::strip_prefix(variable, REPORT.as_bytes())?.strip_prefix(b"=");
        let report = variables.find_map(value)?;
        Some(PathBuf::from(OsStr::from_bytes(report)))
    }
}

pub use system::end_all_of;
