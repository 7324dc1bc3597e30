//! `hint`: one hint more, from vague to nearly there.

use crate::{cli, course::Course, exit::Exit, render::style::wrap, state::State};

/// Wide enough to read, narrow enough for half a screen.
const WIDTH: usize = 90;

pub fn run(course: &Course, args: &cli::Hint) -> anyhow::Result<Exit> {
    let lab = course.lab(&args.lab)?;
    let manifest = lab.manifest()?;
    let mut state = State::load(course)?;
    let known = state.lab_mut(&lab.number);

    let open = || manifest.numbered().map(|(number, _)| number).find(|number| !known.passed.contains(number));
    let Some(number) = args.step.or_else(open) else {
        anstream::println!("Every step of {} has passed. A hint for a step of it: --step N", lab.short());
        return Ok(Exit::Passed);
    };
    let step = manifest.step(number)?;
    let seen = known.hints.entry(number).or_default();
    let more = step.hints.get(*seen).is_some();
    *seen = (*seen + 1).min(step.hints.len());

    anstream::println!("{} step {number}, {}\n", lab.short(), step.title);
    for (n, hint) in (1..).zip(&step.hints[..*seen]) {
        for (at, line) in wrap(hint, WIDTH).iter().enumerate() {
            let mark = if at == 0 { format!("{n}.") } else { String::new() };
            anstream::println!("  {mark:<2} {line}");
        }
        anstream::println!();
    }
    let all = *seen == step.hints.len();
    if !more {
        anstream::println!(
            "These are all hints. The section once more: {}#{}",
            lab.shown("README.md"),
            step.section
        );
    } else if all {
        anstream::println!(
            "This was the last hint. The section: {}#{}",
            lab.shown("README.md"),
            step.section
        );
    } else {
        anstream::println!("Try it first. One more: cargo xtask hint {} --step {number}", lab.short());
    }
    state.save()?;
    Ok(Exit::Passed)
}
