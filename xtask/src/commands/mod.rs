//! The commands, one file each.

mod broker;
mod check;
mod doctor;
mod hint;
mod list;
mod next;
mod progress;
mod reset;
mod watch;
mod workshop;

use crate::{
    cli::{Cli, Command},
    course::Course,
    exit::Exit,
    grade,
};

/// Runs what was typed.
pub fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::List => list::run(&Course::find()?),
        Command::Check(args) => check::run(&Course::find()?, &args),
        Command::Hint(args) => hint::run(&Course::find()?, &args),
        Command::Reset(args) => reset::run(&Course::find()?, &args),
        Command::Progress => progress::run(&Course::find()?),
        Command::Next => next::run(&Course::find()?),
        Command::Broker(args) => broker::run(&Course::find()?, args.action),
        Command::Doctor => doctor::run(&Course::find()?),
        Command::Compare(_)
        | Command::Stubs(_)
        | Command::Verify(_)
        | Command::Mutants(_)
        | Command::Bench(_)
        | Command::NewLab(_) => workshop::run(),
        Command::Guard => {
            grade::guard();
            Ok(Exit::Passed)
        }
    }
}
