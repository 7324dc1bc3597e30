//! `progress`: the steps of each lab that was begun.

use crate::{
    course::Course,
    exit::Exit,
    render::style::{BOLD, DIM, GOOD, paint},
    state::State,
};

pub fn run(course: &Course) -> anyhow::Result<Exit> {
    let state = State::load(course)?;
    let (mut points, mut possible, mut begun) = (0, 0, 0);
    for lab in &course.labs {
        let manifest = lab.manifest()?;
        possible += manifest.points();
        let known = state.lab(&lab.number);
        if !known.tried {
            continue;
        }
        begun += 1;
        anstream::println!("{}", paint(BOLD, format_args!("{} {}", lab.short(), manifest.title)));
        for (number, step) in manifest.numbered() {
            let passed = known.passed.contains(&number);
            points += if passed { step.points } else { 0 };
            let mark = if passed { paint(GOOD, "✓") } else { " ".to_owned() };
            let hints = match known.hints.get(&number) {
                Some(seen) => format!("   {seen} of {} hints seen", step.hints.len()),
                None => String::new(),
            };
            let title = &step.title;
            anstream::println!(
                "  {mark} {number} {title:<34} {:>3} points{}",
                step.points,
                paint(DIM, hints)
            );
        }
        anstream::println!();
    }
    if begun == 0 {
        anstream::println!("No lab is begun yet. The first: cargo xtask next");
    } else {
        anstream::println!("{points} of {possible} points. What comes next: cargo xtask next");
    }
    Ok(Exit::Passed)
}
