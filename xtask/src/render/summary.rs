//! All labs on one page, for people: a line for each, and how to read more of it.

use super::style::{BAD, BOLD, DIM, GOOD, OPEN, paint};
use crate::verdict::{Outcome, State, Step, Summary, TestOutcome, Verdict};
use std::fmt::Write as _;

pub fn summary(summary: &Summary) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\n{}: {} of {} points\n",
        paint(BOLD, "All labs"),
        summary.points,
        summary.points_possible
    );
    for verdict in &summary.labs {
        let (style, mark) = match verdict.outcome {
            Outcome::Passed => (GOOD, "✓"),
            _ if verdict.is_untouched() => (OPEN, "·"),
            _ => (BAD, "✗"),
        };
        let points = format!("{}/{}", verdict.points, verdict.points_possible);
        let title = format!("{} {}", verdict.short(), verdict.title);
        let _ = writeln!(
            text,
            "  {} {title:<34} {points:>7}   {}",
            paint(style, mark),
            paint(DIM, remark(verdict))
        );
    }
    let open: Vec<_> = summary.labs.iter().filter(|verdict| verdict.outcome != Outcome::Passed).collect();
    if let Some(first) = open.iter().find(|verdict| !verdict.is_untouched()).or_else(|| open.first()) {
        let _ = writeln!(text, "\nRead more: cargo xtask check {}", first.short());
    }
    text
}

fn remark(verdict: &Verdict) -> String {
    if let Some(problem) = &verdict.problem {
        return problem.what.clone();
    }
    if verdict.is_untouched() {
        return "not begun".into();
    }
    let passed = verdict.steps.iter().filter(|step| step.state == State::Passed).count();
    let mut remark = format!("{passed} of {} steps", verdict.steps.len());
    let failed = verdict.tests().filter(|test| test.outcome.is_failure()).count();
    if failed > 0 {
        let tests = if failed == 1 { "test" } else { "tests" };
        let _ = write!(remark, ", {failed} {tests} failed");
    }
    remark
}

/// How many tests of a step passed.
pub fn passed(step: &Step) -> usize {
    step.tests.iter().filter(|test| test.outcome == TestOutcome::Passed).count()
}
