//! `compare`: the learner's code against the solution.

use crate::cli;
use diffy::{DiffOptions, Line, Patch};
use std::{collections::BTreeSet, fmt::Write as _};
use xtask::{
    course::{Course, sources},
    exit::{Exit, Stop},
    files::Files,
    render::style::{BAD, BOLD, DIM, GOOD, paint},
    state::State,
};

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
    let solution = sources::of_lab(lab)?.solution;
    let yours = sources::author_files(&lab.dir)?;
    let names: BTreeSet<&String> = solution.keys().chain(yours.keys()).collect();
    let mut same = 0;
    for name in names {
        let side = |files: &Files| files.get(name).cloned().unwrap_or_default();
        let (old, new) = (side(&yours), side(&solution));
        if old == new {
            same += 1;
            continue;
        }
        let mut options = DiffOptions::new();
        let diff = options.set_context_len(CONTEXT).create_patch(&old, &new);
        anstream::println!("{}", paint(BOLD, format_args!("── {name} ── yours (-), the solution (+)")));
        let text = if args.side_by_side { side_by_side(&diff) } else { unified(&diff) };
        anstream::println!("{text}");
    }
    anstream::println!("{same} files are the same in both.");
    Ok(Exit::Passed)
}

fn unified(diff: &Patch<'_, str>) -> String {
    let mut text = String::new();
    for hunk in diff.hunks() {
        let _ = writeln!(text, "{}", paint(DIM, format_args!("@@ line {} @@", hunk.old_range().start())));
        for line in hunk.lines() {
            let _ = match line {
                Line::Delete(line) => writeln!(text, "{}", paint(BAD, format_args!("-{}", line.trim_end()))),
                Line::Insert(line) => writeln!(text, "{}", paint(GOOD, format_args!("+{}", line.trim_end()))),
                Line::Context(line) => writeln!(text, " {}", line.trim_end()),
            };
        }
    }
    text
}

fn side_by_side(diff: &Patch<'_, str>) -> String {
    let mut text = String::new();
    for hunk in diff.hunks() {
        let _ = writeln!(text, "{}", paint(DIM, format_args!("@@ line {} @@", hunk.old_range().start())));
        // Lines that were changed wait here until a line that both have: then they stand side by side.
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for line in hunk.lines() {
            match line {
                Line::Delete(line) => old.push(cut(line)),
                Line::Insert(line) => new.push(cut(line)),
                Line::Context(line) => {
                    write_rows(&mut text, &mut old, &mut new);
                    let line = cut(line);
                    let _ = writeln!(text, "  {line:<SIDE$} │   {line}");
                }
            }
        }
        write_rows(&mut text, &mut old, &mut new);
    }
    text
}

fn write_rows(text: &mut String, old: &mut Vec<String>, new: &mut Vec<String>) {
    for row in 0..old.len().max(new.len()) {
        let left = old.get(row).map_or(String::new(), |line| format!("- {line}"));
        let right = new.get(row).map_or(String::new(), |line| format!("+ {line}"));
        let _ =
            writeln!(text, "{} │ {}", paint(BAD, format_args!("{left:<0$}", SIDE + 2)), paint(GOOD, right));
    }
    old.clear();
    new.clear();
}

/// A line in the width of one side.
fn cut(line: &str) -> String {
    line.trim_end().chars().take(SIDE).collect()
}
