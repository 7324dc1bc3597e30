//! Runs a program under a time limit, in a process group of its own, with its output in files.

use super::{Session, signals::kill_group, untrusted};
use anyhow::Context as _;
use std::{
    fs::{self, File},
    ops::ControlFlow,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// How often the output of a running program is looked at.
const TICK: Duration = Duration::from_millis(50);

/// The most of a program's output that is read back: enough for any message, too little to choke on.
const TAIL: u64 = 64 * 1024;

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// `None`: it was killed, at its limit or because it was enough.
    pub status: Option<ExitStatus>,
    pub took: Duration,
    /// Where its output lies. Files, not pipes: a child that it left behind could hold a pipe open for ever.
    pub stdout: PathBuf,
    pub stderr: PathBuf,
}

impl Ended {
    /// The end of what it wrote.
    pub fn tail(path: &Path) -> String {
        String::from_utf8_lossy(&untrusted::end_of(path, TAIL)).into_owned()
    }

    /// The end of all that it wrote. The files are gone afterwards.
    pub fn output(&self) -> String {
        let text = format!("{}{}", Self::tail(&self.stdout), Self::tail(&self.stderr));
        self.discard();
        text
    }

    /// Gives the space back at once: a program may have written much.
    pub fn discard(&self) {
        let _ = fs::remove_file(&self.stdout);
        let _ = fs::remove_file(&self.stderr);
    }
}

/// Runs a program until it ends or its limit is over, then kills whatever is left of its group. `look` is
/// called now and then with the files of its standard output and standard error, and may say that it is enough.
pub fn run(
    session: &Session,
    command: &mut Command,
    limit: Duration,
    mut look: impl FnMut(&PathBuf, &PathBuf) -> ControlFlow<()>,
) -> anyhow::Result<Ended> {
    let (stdout, stderr) = (session.file("out"), session.file("err"));
    let create =
        |path: &PathBuf| File::create(path).with_context(|| format!("cannot write {}", path.display()));
    command.stdin(Stdio::null()).stdout(create(&stdout)?).stderr(create(&stderr)?).process_group(0);

    let began = Instant::now();
    let mut child = session
        .started()
        .spawn(command)
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let group = Group { session, id: child.id() };
    session.guard().began(group.id);
    // Waited for in a thread of its own: the end is known at once, and nobody has to ask for it again and again.
    let (ended, end) = mpsc::channel();
    let waiter = thread::spawn(move || ended.send(child.wait()));
    let status = loop {
        let enough = look(&stdout, &stderr).is_break();
        let left = limit.saturating_sub(began.elapsed());
        if enough || left.is_zero() {
            break end.try_recv().ok().transpose()?;
        }
        match end.recv_timeout(left.min(TICK)) {
            Ok(status) => break Some(status?),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => unreachable!("whoever waits tells before it ends"),
        }
    };
    let took = began.elapsed();
    let id = group.id;
    drop(group);
    // The group was killed: this waits for no one.
    let _ = waiter.join();
    session.started().ended(id);
    let _ = look(&stdout, &stderr);
    Ok(Ended { status, took, stdout, stderr })
}

/// A process group that is killed when this is dropped, also when waiting for it failed.
struct Group<'a> {
    session: &'a Session,
    id: u32,
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        kill_group(self.id);
        self.session.guard().gone(self.id);
    }
}
