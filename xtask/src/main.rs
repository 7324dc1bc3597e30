//! `cargo xtask`: grades labs and proves that the grading is right.
//!
//! One file per command under `commands/`; the path from a learner's code to a verdict is `grade/`; how a
//! verdict looks is `render/`. It depends on nothing else of the workspace: it drives cargo and the test
//! binaries from outside.

mod cli;
mod commands;
mod course;
mod exit;
mod generate;
mod grade;
mod manifest;
mod mistakes;
mod render;
mod scratch;
mod state;
mod stubs;
mod sums;
mod verdict;
mod verify;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => exit::report(&error).into(),
    }
}
