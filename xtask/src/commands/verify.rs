//! `verify`: the project's own tests.

use crate::{cli, course::Course, exit::Exit, verify};

pub fn run(course: &Course, args: &cli::Verify) -> anyhow::Result<Exit> {
    let only = args.lab.as_deref().map(|typed| course.lab(typed)).transpose()?;
    verify::run(course, only)
}
