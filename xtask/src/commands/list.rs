//! `list`: every lab in one table.

use crate::{
    course::{Course, manifest::KAFKA},
    exit::Exit,
    render::style::{BOLD, DIM, GOOD, OPEN, paint},
    state::State,
};

pub fn run(course: &Course) -> anyhow::Result<Exit> {
    let state = State::load(course)?;
    for lab in &course.labs {
        let manifest = match lab.manifest() {
            Ok(manifest) => manifest,
            Err(error) => {
                // One damaged lab does not hide the others.
                anstream::println!("  ! {} {error:#}", lab.short());
                continue;
            }
        };
        let known = state.lab(&lab.number);
        let passed = manifest.numbered().filter(|(number, _)| known.passed.contains(number));
        let points: u32 = passed.map(|(_, step)| step.points).sum();
        let (style, mark) = match (points == manifest.points(), known.tried) {
            (true, _) => (GOOD, "✓"),
            (false, true) => (OPEN, "·"),
            (false, false) => (DIM, " "),
        };
        let needs: Vec<_> = manifest.needs.iter().map(|need| shown(need)).collect();
        let needs = if needs.is_empty() { "Rust alone".to_owned() } else { needs.join(", ") };
        anstream::println!(
            "  {} {} {points:>3}/{} points   {:>3} min   {needs}",
            paint(style, mark),
            paint(BOLD, format_args!("{:<28}", lab.name)),
            manifest.points(),
            manifest.minutes,
        );
        anstream::println!("      {}", paint(DIM, &manifest.summary));
    }
    Ok(Exit::Passed)
}

/// What a lab needs, as people get it.
fn shown(need: &str) -> &str {
    if need == KAFKA { "Kafka (Docker, or embedded)" } else { need }
}
