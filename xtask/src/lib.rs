//! `cargo xtask`: grades labs.
//!
//! One file per command under `commands/`; the path from a learner's code to a verdict is `grade/`; how a
//! verdict looks is `render/`. It depends on nothing else of the workspace: it drives cargo and the test binaries
//! from outside.
//!
//! It is compiled before anybody's first verdict, so it holds only what a learner needs daily. `workshop`, beside it,
//! has the commands that open the solutions. This is a library for the workshop and for the tests under `tests/`; it is
//! no API.

mod cli;
mod commands;
pub mod course;
pub mod exit;
pub mod files;
pub mod grade;
pub mod render;
pub mod scratch;
pub mod state;
pub mod verdict;

use clap::Parser as _;
use std::process::ExitCode;

/// Runs what was typed and says how it ended.
pub fn main() -> ExitCode {
    grade::end_with_the_reader();
    exit::with(commands::run(cli::Cli::parse()))
}
