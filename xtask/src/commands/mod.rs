//! The commands, one file each.

mod bench;
mod broker;
mod check;
mod compare;
mod doctor;
mod hint;
mod list;
mod mutants;
mod new_lab;
mod next;
mod progress;
mod reset;
mod stubs;
mod verify;
mod watch;

use crate::{
    cli::{Cli, Command},
    course::Course,
    exit::Exit,
    grade,
};

/// Runs what was typed.
pub fn run(cli: Cli) -> anyhow::Result<Exit> {
    if let Command::Guard = cli.command {
        grade::guard();
        return Ok(Exit::Passed);
    }
    let course = Course::find()?;
    match cli.command {
        Command::List => list::run(&course),
        Command::Check(args) => check::run(&course, &args),
        Command::Hint(args) => hint::run(&course, &args),
        Command::Compare(args) => compare::run(&course, &args),
        Command::Reset(args) => reset::run(&course, &args),
        Command::Progress => progress::run(&course),
        Command::Next => next::run(&course),
        Command::Broker(args) => broker::run(&course, args.action),
        Command::Doctor => doctor::run(&course),
        Command::Stubs(args) => stubs::run(&course, &args),
        Command::Verify(args) => verify::run(&course, &args),
        Command::Mutants(args) => mutants::run(&course, &args),
        Command::Bench(args) => bench::run(&course, &args),
        Command::NewLab(args) => new_lab::run(&course, &args),
        Command::Guard => unreachable!("handled above"),
    }
}
