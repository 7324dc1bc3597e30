//! `cargo xtask`: grades labs and proves that the grading is right.
//!
//! One file per command under `commands/`; the path from a learner's code to a verdict is `grade/`; how a
//! verdict looks is `render/`; the proof of the course is `verify/`. It depends on nothing else of the
//! workspace: it drives cargo and the test binaries from outside.
//!
//! This is a library only so that the tests under `tests/` can build scratch courses; it is no API.

#![warn(missing_docs)]

mod bench;
mod cli;
mod commands;
mod course;
mod exit;
pub mod files;
mod grade;
mod render;
pub mod scratch;
mod state;
mod verdict;
mod verify;

pub use course::sums;

use clap::Parser as _;
use std::process::ExitCode;

/// Runs what was typed and says how it ended.
pub fn main() -> ExitCode {
    grade::end_with_the_reader();
    match commands::run(cli::Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => exit::report(&error).into(),
    }
}
