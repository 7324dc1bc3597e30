//! `bench`: how long people wait.

use crate::{bench, cli};
use xtask::{course::Course, exit::Exit};

pub fn run(course: &Course, args: &cli::Bench) -> anyhow::Result<Exit> {
    let result = bench::run(course, args.quick)?;
    anstream::print!("\n{result}");
    Ok(if result.holds() { Exit::Passed } else { Exit::Failed })
}
