//! One file per command.

mod bench;
mod compare;
mod mutants;
mod new_lab;
mod stubs;
mod verify;

use crate::cli::{Cli, Command};
use xtask::{course::Course, exit::Exit, grade};

/// Runs what was typed.
pub fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Compare(args) => compare::run(&Course::find()?, &args),
        Command::Stubs(args) => stubs::run(&Course::find()?, &args),
        Command::Verify(args) => verify::run(&Course::find()?, &args),
        Command::Mutants(args) => mutants::run(&Course::find()?, &args),
        Command::Bench(args) => bench::run(&Course::find()?, &args),
        Command::NewLab(args) => new_lab::run(&Course::find()?, &args),
        Command::Guard => {
            grade::guard();
            Ok(Exit::Passed)
        }
    }
}
