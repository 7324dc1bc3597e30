//! `verify`: the project's own tests.

use crate::{cli, verify};
use xtask::{course::Course, exit::Exit};

pub fn run(course: &Course, args: &cli::Verify) -> anyhow::Result<Exit> {
    let lab = args.lab.as_deref().map(|typed| course.lab(typed)).transpose()?;
    match args.flake {
        Some(times) => verify::flake(course, lab, args.broker, times, args.write),
        None => verify::run(course, lab, args.only.as_deref(), args.broker, args.write),
    }
}
