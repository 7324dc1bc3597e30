//! `stubs`: writes each lab's generated files from its solution, or checks that they are in step.

use crate::{cli, stubs};
use std::fs;
use xtask::{
    course::Course,
    exit::{Exit, Stop},
    files,
};

pub fn run(course: &Course, args: &cli::Stubs) -> anyhow::Result<Exit> {
    let mut behind = Vec::new();
    for lab in &course.labs {
        let differences = stubs::differences(lab)?;
        if !args.check && !differences.is_empty() {
            let files = stubs::lab_files(lab)?;
            files::write(&lab.dir, &files)?;
            for name in differences.iter().filter(|name| !files.contains_key(*name)) {
                fs::remove_file(lab.dir.join(name))?;
            }
        }
        behind.extend(differences.iter().map(|name| lab.shown(name)));
    }
    if args.check && !behind.is_empty() {
        let what = format!("not as the solutions say:\n  {}", behind.join("\n  "));
        return Err(Stop::new(Exit::Failed, what, "Write them anew with: cargo xtask stubs").into());
    }
    for name in &behind {
        anstream::println!("wrote {name}");
    }
    if behind.is_empty() {
        anstream::println!("every stub is in step with its solution");
    }
    Ok(Exit::Passed)
}
