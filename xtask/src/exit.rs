//! How a command ends: the exit codes, and errors that say what to do next.

use anstyle::{AnsiColor, Style};
use std::{fmt, process::ExitCode};

/// The exit codes of every command. They are a contract with scripts and CI systems: never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; of a check: every test passed.
    Passed = 0,
    /// Of a check: some test did not pass. Of an author's command: something is not as it must be.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// The learner's code does not compile; nothing was graded.
    BuildError = 3,
    /// The machine failed, not the learner: no disk, no cargo, no network.
    Infrastructure = 4,
    /// The lab itself is damaged: a suite file was changed, suite and lab.toml disagree, or the build takes in what is
    /// not the lab's.
    LabBroken = 5,
}

/// The table for `--help`.
pub const HELP: &str = "\
Exit codes:
  0  passed, or done
  1  failed: a test did not pass
  2  usage: the command line was wrong
  3  build error: the code does not compile, nothing was graded
  4  infrastructure: the machine failed, not your code
  5  lab broken: what would be graded is not the lab, such as when a file of the suite was changed";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// An end that is expected to happen to people: what happened, why, and the next command to type.
#[derive(Debug)]
pub struct Stop {
    pub exit: Exit,
    pub what: String,
    pub next: String,
}

impl Stop {
    pub fn new(exit: Exit, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: next.into() }
    }

    pub fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what, next)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Stop {}

/// The end of a program: the exit code of its command, and where that failed, the reason on standard error.
pub fn with(result: anyhow::Result<Exit>) -> ExitCode {
    result.unwrap_or_else(|error| report(&error)).into()
}

/// Says on standard error why a command ended, and gives its exit code. An error that nobody foresaw is the
/// machine's: a learner is never failed by it.
fn report(error: &anyhow::Error) -> Exit {
    let bold = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    anstream::eprintln!("{bold}error:{bold:#} {error:#}");
    match error.downcast_ref::<Stop>() {
        Some(stop) => {
            if !stop.next.is_empty() {
                anstream::eprintln!("{}", stop.next);
            }
            stop.exit
        }
        None => {
            anstream::eprintln!("This is not about your code. `cargo xtask doctor` looks at the machine.");
            Exit::Infrastructure
        }
    }
}
