//! Verdicts for GitHub Actions: annotations at the learner's own lines, and a summary of the job.
//!
//! Source: GitHub's docs, "Workflow commands for GitHub Actions". A job shows ten errors and ten warnings of a step at
//! most, so each failing step of a lab gets one, and what is not written yet is no error.

use super::evidence::{self, plain};
use crate::verdict::{Failure, Outcome, Place, State, Step, Verdict};
use std::{
    fmt::Write as _,
    hash::{BuildHasher as _, RandomState},
};

/// What a job's log gets: a text for people, then the workflow commands. In the text a learner's code may have a part,
/// so until a word that it cannot know nothing there is a command.
pub fn log(text: &str, verdicts: &[&Verdict]) -> String {
    let word = format!("{:016x}", RandomState::new().hash_one(0));
    let annotations: String = verdicts.iter().map(|verdict| annotations(verdict)).collect();
    format!("::stop-commands::{word}\n{text}\n::{word}::\n{annotations}")
}

/// The workflow commands, one a line.
pub fn annotations(verdict: &Verdict) -> String {
    let mut text = String::new();
    if let Some(problem) = &verdict.problem {
        let place = problem.places.first();
        let details = problem.details.first().map_or("", String::as_str);
        let says = format!("{}\n{details}\n{}", problem.what, problem.next);
        let title = format!("{}: nothing was graded", verdict.short());
        let level = if verdict.outcome == Outcome::Infrastructure { "warning" } else { "error" };
        command(&mut text, level, place, &title, &says);
        return text;
    }
    for step in &verdict.steps {
        let (level, how) = match step.state {
            State::Failed => ("error", "failed"),
            State::NotImplemented => ("warning", "not written yet"),
            State::Passed | State::NotGradable => continue,
        };
        let title = format!("{} step {}, {}: {how}", verdict.short(), step.number, step.title);
        let Some((first, failure)) = first_failure(step) else { continue };
        let mut says = format!("{}\n", failure.what);
        says += &plain(|text| evidence::write(text, &Failure { timeline: Vec::new(), ..failure.clone() }));
        if step.state == State::Failed {
            let more = step.tests.iter().filter(|test| test.outcome.is_failure()).count() - 1;
            let more = if more == 0 { String::new() } else { format!(", and {more} more of this step") };
            let _ = write!(says, "\n{first}{more}\n");
        }
        let _ = write!(says, "Read {}", step.readme);
        command(&mut text, level, failure.place.as_ref(), &title, &says);
    }
    text
}

/// The first test that failed; where none did, the first that is not written.
fn first_failure(step: &Step) -> Option<(&str, &Failure)> {
    let failed = step.tests.iter().find(|test| test.outcome.is_failure());
    let test = failed.or_else(|| step.tests.iter().find(|test| test.failure.is_some()))?;
    Some((&test.name, test.failure.as_ref()?))
}

fn command(text: &mut String, level: &str, place: Option<&Place>, title: &str, says: &str) {
    let place =
        place.map(|place| format!("file={},line={},", property(&place.file), place.line)).unwrap_or_default();
    let _ = writeln!(text, "::{level} {place}title={}::{}", property(title), data(says.trim_end()));
}

/// As `@actions/core` escapes a command's message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As `@actions/core` escapes a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Markdown for the job's summary.
pub fn summary(verdicts: &[&Verdict]) -> String {
    let mut text = String::new();
    for verdict in verdicts {
        let _ = writeln!(
            text,
            "### {} {}: {} of {} points\n",
            verdict.short(),
            verdict.title,
            verdict.points,
            verdict.points_possible
        );
        if let Some(problem) = &verdict.problem {
            let details = problem.details.join("\n");
            let _ = writeln!(text, "**{}**\n\n{}\n{}\n", problem.what, fenced(&details), problem.next);
            continue;
        }
        text += "| | step | points | tests |\n| --- | --- | --- | --- |\n";
        for step in &verdict.steps {
            let (mark, passed) = (mark(step.state), super::summary::passed(step));
            let Step { number, title, points, points_possible, tests, .. } = step;
            let all = tests.len();
            let _ = writeln!(
                text,
                "| {mark} | {number} {title} | {points}/{points_possible} | {passed} of {all} |"
            );
        }
        text.push('\n');
        let failing = verdict.steps.iter().find(|step| step.state == State::Failed);
        if let Some((step, (name, failure))) = failing.and_then(|step| Some((step, first_failure(step)?))) {
            let evidence = plain(|text| evidence::write(text, failure));
            let _ = writeln!(
                text,
                "**step {}, `{name}`**: {}\n\n{}\n",
                step.number,
                failure.what,
                fenced(&evidence)
            );
        }
        for likely in &verdict.likely {
            let _ = writeln!(text, "- This pattern usually means: {} (`{}`)", likely.says, likely.name);
        }
        text.push('\n');
    }
    text
}

fn mark(state: State) -> &'static str {
    match state {
        State::Passed => "✓",
        State::Failed => "✗",
        State::NotImplemented => "·",
        State::NotGradable => "-",
    }
}

/// A text as it is: with more backticks around it than it has within.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_matches('\n'))
}
