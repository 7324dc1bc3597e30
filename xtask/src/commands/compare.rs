//! `compare`: the learner's code against the solution.

use crate::{
    cli,
    course::Course,
    exit::{Exit, Stop},
    generate,
    render::style::{BAD, BOLD, DIM, GOOD, paint},
    state::State,
};
use similar::{ChangeTag, TextDiff};
use std::{collections::BTreeSet, fmt::Write as _};

/// Lines around a difference.
const CONTEXT: usize = 3;
/// Width of one side when both stand next to each other.
const SIDE: usize = 76;

pub fn run(course: &Course, args: &cli::Compare) -> anyhow::Result<Exit> {
    let lab = course.lab(&args.lab)?;
    let known = State::load(course)?.lab(&lab.number);
    if !known.completed && !args.spoil {
        let what = format!("{} has not passed yet, so its solution stays closed", lab.short());
        let next = format!(
            "Get on with: cargo xtask hint {0}\nOr see the solution anyway: cargo xtask compare {0} --spoil",
            lab.short()
        );
        return Err(Stop::new(Exit::Failed, what, next).into());
    }
    let solution = generate::sources_of(lab)?.solution;
    let yours = generate::author_files(&lab.dir)?;
    let names: BTreeSet<&String> = solution.keys().chain(yours.keys()).collect();
    let mut same = 0;
    for name in names {
        let side = |files: &generate::Files| files.get(name).cloned().unwrap_or_default();
        let (old, new) = (side(&yours), side(&solution));
        if old == new {
            same += 1;
            continue;
        }
        let diff = TextDiff::from_lines(&old, &new);
        anstream::println!("{}", paint(BOLD, format_args!("── {name} ── yours (-), the solution (+)")));
        let text = if args.side_by_side { side_by_side(&diff) } else { unified(&diff) };
        anstream::println!("{text}");
    }
    anstream::println!("{same} files are the same in both.");
    Ok(Exit::Passed)
}

fn unified(diff: &TextDiff<'_, '_, str>) -> String {
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        let _ = writeln!(text, "{}", paint(DIM, hunk.header()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            let _ = match change.tag() {
                ChangeTag::Delete => writeln!(text, "{}", paint(BAD, format_args!("-{line}"))),
                ChangeTag::Insert => writeln!(text, "{}", paint(GOOD, format_args!("+{line}"))),
                ChangeTag::Equal => writeln!(text, " {line}"),
            };
        }
    }
    text
}

fn side_by_side(diff: &TextDiff<'_, '_, str>) -> String {
    let cut = |line: &str| line.trim_end_matches('\n').chars().take(SIDE).collect::<String>();
    let mut text = String::new();
    for group in diff.grouped_ops(CONTEXT) {
        for op in group {
            let lines = |tag| {
                let changes = diff.iter_changes(&op).filter(move |change| change.tag() == tag);
                changes.map(|change| cut(change.value())).collect::<Vec<_>>()
            };
            for line in lines(ChangeTag::Equal) {
                let _ = writeln!(text, "  {line:<SIDE$} │ {line}");
            }
            let (old, new) = (lines(ChangeTag::Delete), lines(ChangeTag::Insert));
            for row in 0..old.len().max(new.len()) {
                let left = old.get(row).map_or(String::new(), |line| format!("- {line}"));
                let right = new.get(row).map_or(String::new(), |line| format!("+ {line}"));
                let _ = writeln!(
                    text,
                    "{} │ {}",
                    paint(BAD, format_args!("{left:<0$}", SIDE + 2)),
                    paint(GOOD, right)
                );
            }
        }
        let _ = writeln!(text, "{}", paint(DIM, "  ⋯"));
    }
    text
}
