//! A verdict for people. A learner sees the state of every step, and reads one failure at a time.

use super::{
    evidence::{self, write_indented, write_likely},
    style::{BAD, BOLD, DIM, GOOD, OPEN, WIDTH, paint, wrap},
};
use crate::verdict::{Backend, Broker, Outcome, Problem, State, Step, Test, TestOutcome, Verdict};
use anstyle::Style;
use std::fmt::Write as _;

/// The verdict as text with styles. `all`: every failure in full, not only the first.
pub fn verdict(verdict: &Verdict, all: bool) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\n{}{}",
        paint(BOLD, format_args!("{} {}", verdict.short(), verdict.title)),
        score(verdict)
    );
    if let Some(problem) = &verdict.problem {
        write_problem(&mut text, problem);
        return text;
    }
    text.push('\n');
    for step in &verdict.steps {
        write_step(&mut text, step);
    }
    text.push('\n');
    write_not_gradable(&mut text, verdict);
    match verdict.outcome {
        Outcome::Passed => write_passed(&mut text, verdict),
        _ if verdict.is_untouched() => write_untouched(&mut text, verdict),
        _ => write_failures(&mut text, verdict, all),
    }
    text
}

fn score(verdict: &Verdict) -> String {
    if verdict.points_possible == 0 || verdict.steps.is_empty() {
        return String::new();
    }
    let seconds = verdict.tests_millis as f64 / 1000.0;
    let on = verdict.broker.as_ref().map_or(String::new(), on);
    format!(": {} of {} points, {seconds:.1} s{on}", verdict.points, verdict.points_possible)
}

fn on(broker: &Broker) -> String {
    match (broker.backend, &broker.bootstrap) {
        (Backend::Docker, _) => ", on Kafka in a container".to_owned(),
        (Backend::External, Some(bootstrap)) => format!(", on the Kafka at {bootstrap}"),
        _ => ", on the embedded broker".to_owned(),
    }
}

fn write_problem(text: &mut String, problem: &Problem) {
    let _ = writeln!(text, "\n{}\n", paint(BAD, format_args!("✗ {}", capital(&problem.what))));
    for (number, detail) in problem.details.iter().enumerate() {
        // A short detail is one of a list; a long one stands by itself.
        if number > 0 && detail.contains('\n') {
            text.push('\n');
        }
        for line in detail.trim_end().lines() {
            write_indented(text, 2, line, Style::new());
        }
    }
    let _ = writeln!(text, "\n{}", problem.next);
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn write_step(text: &mut String, step: &Step) {
    let (style, mark) = match step.state {
        State::Passed => (GOOD, "✓"),
        State::Failed => (BAD, "✗"),
        State::NotImplemented => (OPEN, "·"),
        State::NotGradable => (DIM, "-"),
    };
    let count =
        |wanted: fn(TestOutcome) -> bool| step.tests.iter().filter(|test| wanted(test.outcome)).count();
    let (passed, failed) = (count(|outcome| outcome == TestOutcome::Passed), count(TestOutcome::is_failure));
    let open = count(|outcome| outcome == TestOutcome::NotImplemented);
    let not_gradable = count(|outcome| outcome == TestOutcome::NotGradable);
    let mut remark = match step.state {
        State::Passed => format!("{passed} of {} tests", step.tests.len()),
        State::Failed => format!("{failed} of {} tests failed", step.tests.len()),
        State::NotImplemented if passed > 0 => format!("{passed} of {} tests so far", step.tests.len()),
        State::NotImplemented => "not implemented".to_owned(),
        State::NotGradable => "not gradable here".to_owned(),
    };
    if step.state == State::Failed && open > 0 {
        let _ = write!(remark, ", {open} not implemented");
    }
    if step.state != State::NotGradable && not_gradable > 0 {
        let _ = write!(remark, ", {not_gradable} not gradable here");
    }
    let points = match step.points_possible {
        // A part of its tests earns nothing.
        0 => String::new(),
        possible => format!("{:>2}/{possible}", step.points),
    };
    let title = format!("{} {}", step.number, step.title);
    let _ = writeln!(text, "  {} {title:<34} {points:>7}   {}", paint(style, mark), paint(DIM, remark));
}

/// The tests that say nothing of the code on this broker, and why.
fn write_not_gradable(text: &mut String, verdict: &Verdict) {
    let not_gradable: Vec<_> =
        verdict.tests().filter(|test| test.outcome == TestOutcome::NotGradable).collect();
    if not_gradable.is_empty() {
        return;
    }
    let _ = writeln!(text, "Not gradable on this broker, neither passed nor failed:");
    for test in not_gradable {
        let why = test.failure.as_ref().map_or("", |failure| &failure.what);
        let _ = writeln!(text, "  • {}", test.name);
        for line in wrap(why, WIDTH - 4) {
            let _ = writeln!(text, "    {line}");
        }
    }
    let _ = writeln!(text, "To grade them too: cargo xtask check {} --broker embedded\n", verdict.short());
}

fn write_passed(text: &mut String, verdict: &Verdict) {
    let _ = writeln!(text, "{}", paint(GOOD, "Passed."));
    if let Some(learnt) = &verdict.learnt {
        for line in wrap(learnt, WIDTH) {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "\nCompare   cargo xtask compare {}", verdict.short());
        if let Some(next) = &verdict.next_lab {
            let _ = writeln!(text, "Go on     labs/{next}/README.md");
        }
    } else if let Some(next) = &verdict.next_step {
        let _ = writeln!(text, "Next is step {}, {}:\n", next.number, next.title);
        let _ = writeln!(text, "Read      {}", next.readme);
        let _ = writeln!(text, "Then      cargo xtask check {} --step {}", verdict.short(), next.number);
    } else {
        let _ = writeln!(text, "Now all of it: cargo xtask check {}", verdict.short());
    }
}

fn write_untouched(text: &mut String, verdict: &Verdict) {
    let first = &verdict.steps[0];
    // With one step chosen, nothing is known of the others.
    if first.number == 1 {
        let _ = writeln!(text, "Nothing is written yet, and that is how every lab begins.\n");
    }
    write_open_step(text, verdict, first, "Begin with");
}

/// A step that is not written yet, or that cannot be graded before an earlier one is.
fn write_open_step(text: &mut String, verdict: &Verdict, step: &Step, verb: &str) {
    let open = step.tests.iter().filter(|test| test.outcome == TestOutcome::NotImplemented);
    let failures = open.filter_map(|test| test.failure.as_ref());
    let first = failures.min_by_key(|failure| failure.todo.unwrap_or(usize::MAX));
    match first.and_then(|failure| failure.todo) {
        Some(earlier) if earlier < step.number => {
            let _ = writeln!(text, "Step {}, {}, needs step {earlier} first:", step.number, step.title);
        }
        _ => _ = writeln!(text, "{verb} step {}, {}:", step.number, step.title),
    }
    if let Some(todo) = first {
        let _ = writeln!(text, "  {}", todo.what);
    }
    let _ = writeln!(text, "\nRead      {}", step.readme);
    let _ = writeln!(text, "Then      cargo xtask check {} --step {}", verdict.short(), step.number);
}

fn write_failures(text: &mut String, verdict: &Verdict, all: bool) {
    let failing: Vec<(&Step, &Test)> = verdict
        .steps
        .iter()
        .flat_map(|step| step.tests.iter().map(move |test| (step, test)))
        .filter(|(_, test)| test.outcome.is_failure())
        .collect();
    let open = || verdict.steps.iter().find(|step| step.state == State::NotImplemented);
    let Some((step, _)) = failing.first() else {
        if let Some(step) = open() {
            let begun = verdict.steps.iter().any(|step| step.state == State::Passed);
            let verb = if begun { "So far so good. Next is" } else { "Nothing fails. Go on with" };
            write_open_step(text, verdict, step, verb);
        }
        return;
    };
    for (step, test) in failing.iter().take(if all { failing.len() } else { 1 }) {
        write_failure(text, verdict, step, test);
    }
    write_likely(text, verdict);
    let _ = writeln!(text, "Read      {}", step.readme);
    let _ = writeln!(text, "Hint      cargo xtask hint {} --step {}", verdict.short(), step.number);
    let _ = writeln!(text, "Again     cargo xtask check {} --step {}", verdict.short(), step.number);
    let more = failing.len() - 1;
    if more > 0 && !all {
        let tests = if more == 1 { "1 more test failed".into() } else { format!("{more} more tests failed") };
        let note = format!(
            "\n{tests}, perhaps for the same reason. To see all: cargo xtask check {} --all",
            verdict.short()
        );
        let _ = writeln!(text, "{}", paint(DIM, note));
    }
}

fn write_failure(text: &mut String, verdict: &Verdict, step: &Step, test: &Test) {
    let Some(failure) = &test.failure else { return };
    let how = match test.outcome {
        TestOutcome::TimedOut => " (timed out)",
        TestOutcome::Crashed => " (crashed)",
        _ => "",
    };
    let head = format!("✗ step {}, {}{how}", step.number, test.name);
    let _ = writeln!(text, "{}", paint(BAD, head));
    for line in wrap(&failure.what, WIDTH) {
        let _ = writeln!(text, "  {}", paint(BOLD, line));
    }
    evidence::write(text, failure);
    text.push('\n');
    if let Some(seed) = failure.seed {
        let lab = verdict.short();
        let _ = writeln!(text, "Again with this schedule: cargo xtask check {lab} --seed {seed}\n");
    }
}
