//! The program that keeps Kafka in a container: `broker/`. It is compiled only when it is needed, since a Docker
//! client is the heaviest library of the course.

use super::WITHOUT;
use crate::{
    grade::{
        Event, Session, Watcher,
        build::{self, Built},
        follow::Follow,
        process::Ended,
        signals,
    },
    scratch,
    verdict::Problem,
};
use serde::Deserialize;
use std::{
    fs::File,
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The longest wait for its line: longer than all its own limits, which say more than this one does.
const LIMIT: Duration = Duration::from_secs(1000);

/// The longest wait for a container to go. The program goes on with it in any case.
const END: Duration = Duration::from_secs(20);

const TICK: Duration = Duration::from_millis(5);

/// What it says when its broker answers.
#[derive(Debug, Deserialize)]
pub struct Line {
    pub bootstrap: String,
    pub image: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Answers(Line),
    Fails { problem: Failure },
}

#[derive(Deserialize)]
struct Failure {
    what: String,
    #[serde(default)]
    details: Vec<String>,
    next: String,
}

/// The program while it runs. It lives on its standard input, which closes however the grader ends.
#[derive(Debug)]
pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// Compiles it, and says so beforehand where that takes long.
pub fn build(session: &Session, root: &Path, watcher: Watcher<'_>) -> Result<PathBuf, Problem> {
    let first = !scratch::target_dir(root).join("debug/broker").exists();
    if first {
        let text = "Building the program that starts Kafka in a container: once, for a minute or two. \
                    (--broker embedded does without.)";
        watcher(Event::Said { text });
    }
    let manner = if first { build::Manner::Loud } else { build::Manner::Quiet };
    let mut executable = None;
    let built = build::packages(session, root, &["--package", "broker"], manner, |built| {
        if let Built::Program { executable: path, .. } = built {
            executable = Some(path);
        }
    });
    let build = built.map_err(|error| problem(format!("cargo cannot be run: {error:#}")))?;
    executable.filter(|_| build.success).ok_or_else(|| Problem {
        details: vec![build.stderr],
        ..problem("the program that starts Kafka in a container could not be built")
    })
}

impl Program {
    /// Starts it. With a file it becomes independent of the grader once its broker answers, and the file tells of it.
    pub fn start(session: &Session, executable: &Path, detached: Option<&Path>) -> Result<Self, Problem> {
        let (stdout, stderr) = (session.file("out"), session.file("err"));
        let start = || -> io::Result<Child> {
            let mut command = Command::new(executable);
            command.stdin(Stdio::piped()).stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
            match detached {
                Some(file) => signals::in_a_session_of_its_own(command.arg("--detached").arg(file)),
                // A group of its own: after Ctrl-C in the terminal it has something left to do.
                None => command.process_group(0),
            };
            session.started().spawn(&mut command)
        };
        let mut child = start()
            .map_err(|error| problem(format!("{} cannot be started: {error}", executable.display())))?;
        Ok(Self { stdin: child.stdin.take(), child, stdout, stderr })
    }

    /// Waits for its line and tells meanwhile what goes on.
    pub fn wait(&mut self, session: &Session, watcher: Watcher<'_>) -> Result<Line, Problem> {
        let (mut said, mut progress) = (Follow::default(), Follow::default());
        let (began, limit) = (Instant::now(), LIMIT.mul_f64(session.scale()));
        loop {
            // Asked before the files are read: what it wrote last is not missed.
            let ended = self.child.try_wait().map_or(true, |status| status.is_some());
            for line in said.lines(&self.stdout) {
                match serde_json::from_str(&line) {
                    Ok(Said::Answers(line)) => return Ok(line),
                    Ok(Said::Fails { problem: Failure { what, details, next } }) => {
                        return Err(Problem::new(what, details, next));
                    }
                    Err(_) => {}
                }
            }
            // Of a broker that is there already nobody needs to read how it came about.
            progress.lines(&self.stderr).iter().for_each(|text| watcher(Event::Said { text }));
            if ended || began.elapsed() > limit {
                let how = if ended { "ended without a word" } else { "is stuck" };
                return Err(Problem {
                    details: vec![Ended::tail(&self.stderr)],
                    ..problem(format!("the program that starts Kafka in a container {how}"))
                });
            }
            thread::sleep(TICK);
        }
    }

    /// Lets it live on by itself, as a detached one does.
    pub fn release(mut self) {
        // It does not depend on its input any more, and nobody waits for it.
        self.stdin = None;
        std::mem::forget(self);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stdin = None;
        let began = Instant::now();
        // It is never killed: it alone knows what there is to remove.
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < END {
            thread::sleep(TICK);
        }
    }
}

fn problem(what: impl Into<String>) -> Problem {
    Problem::new(what, Vec::new(), format!("Look at the machine: cargo xtask doctor\n{WITHOUT}"))
}
