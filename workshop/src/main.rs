//! The commands of `cargo xtask` that open the solutions: `compare`, which a learner runs in the end, and those of
//! authors. They are a program of their own so that nobody compiles them before the first verdict.
//!
//! One file per command under `commands/`; the proof of the course is `verify/`. What a verdict is, and how labs are
//! graded, is in `xtask`, and both programs do it by the same code.

mod bench;
mod cli;
mod commands;
mod grader;
mod patch;
mod stubs;
mod verify;

use clap::Parser as _;
use std::process::ExitCode;
use xtask::{exit, grade};

fn main() -> ExitCode {
    grade::end_with_the_reader();
    exit::with(commands::run(cli::Cli::parse()))
}
