//! `next`: the one thing to do now.

use crate::{course::Course, exit::Exit, state::State};

pub fn run(course: &Course) -> anyhow::Result<Exit> {
    let state = State::load(course)?;
    for lab in &course.labs {
        let manifest = lab.manifest()?;
        let known = state.lab(&lab.number);
        let open = manifest.numbered().find(|(number, _)| !known.passed.contains(number));
        if let Some((number, step)) = open {
            anstream::println!("{} {}, step {number}: {}\n", lab.short(), manifest.title, step.title);
            anstream::println!("Read      {}#{}", lab.shown("README.md"), step.section);
            anstream::println!("Write     {}", lab.shown("src/"));
            anstream::println!("Check     cargo xtask check {} --step {number}", lab.short());
            return Ok(Exit::Passed);
        }
    }
    anstream::println!("Every lab has passed. Read a solution again: cargo xtask compare LAB");
    Ok(Exit::Passed)
}
