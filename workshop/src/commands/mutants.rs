//! `mutants`: an outside judge of the suites.

use crate::{cli, verify};
use xtask::{course::Course, exit::Exit};

pub fn run(course: &Course, args: &cli::Mutants) -> anyhow::Result<Exit> {
    let lab = args.lab.as_deref().map(|typed| course.lab(typed)).transpose()?;
    verify::mutants(course, lab, args.only.as_deref(), args.write)
}
