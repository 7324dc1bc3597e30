//! `check`: grades a lab.

use crate::{
    cli,
    course::{Course, Lab, manifest::Manifest},
    exit::{Exit, Stop},
    grade::{self, Event, Selection},
    render,
    state::State,
    verdict::{self, NextStep, Outcome, Verdict},
};
use anyhow::Context as _;
use std::{
    io::{IsTerminal as _, Write as _},
    sync::atomic::{AtomicUsize, Ordering},
};

pub fn run(course: &Course, args: &cli::Check) -> anyhow::Result<Exit> {
    let lab = course.lab(&args.lab)?;
    let selection =
        Selection { step: args.step, test: args.test.clone(), broker: args.broker.clone(), seed: args.seed };
    validate(lab, &selection)?;

    let progress = Progress::default();
    let mut verdict = grade::check(course, lab, &selection, &|event| progress.show(&event))?;
    progress.clear();

    if let Ok(manifest) = lab.manifest() {
        look_ahead(course, lab, &selection, &manifest, &mut verdict)?;
    }
    let text = match args.format {
        cli::Format::Text => render::text::verdict(&verdict, args.all),
        cli::Format::Json => render::json::verdict(&verdict)? + "\n",
    };
    let mut stdout = anstream::stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("the verdict cannot be printed")?;
    Ok(verdict.outcome.exit())
}

/// Remembers the verdict, and adds what comes next where it passed.
fn look_ahead(
    course: &Course,
    lab: &Lab,
    selection: &Selection,
    manifest: &Manifest,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let mut state = State::load(course)?;
    let known = state.lab_mut(&lab.number);
    if selection.is_of_whole_steps() {
        known.record(verdict, manifest.steps.len());
    }
    if verdict.outcome == Outcome::Passed {
        // A step that could not be graded here has not passed.
        let passed = verdict.steps.iter().filter(|step| step.state == verdict::State::Passed).count();
        if selection.is_of_whole_steps() && passed == manifest.steps.len() {
            let after = course.labs.iter().find(|other| other.number > lab.number);
            verdict.learnt = Some(manifest.learnt.clone());
            verdict.next_lab = after.map(|lab| lab.name.clone());
        } else if selection.is_of_whole_steps() {
            let open = manifest.numbered().find(|(number, _)| !known.passed.contains(number));
            verdict.next_step = open.map(|(number, step)| NextStep {
                number,
                title: step.title.clone(),
                readme: format!("{}#{}", lab.shown("README.md"), step.section),
            });
        }
    }
    state.save()
}

/// A step or a test that does not exist is a slip of the fingers, not a failure.
fn validate(lab: &Lab, selection: &Selection) -> anyhow::Result<()> {
    // A damaged lab.toml is told by the verdict.
    let Ok(manifest) = lab.manifest() else { return Ok(()) };
    if let Some(number) = selection.step {
        manifest.step(number)?;
    }
    let mut tests =
        manifest.numbered().flat_map(|(number, step)| step.tests.iter().map(move |test| (number, test)));
    if !tests.any(|(number, test)| selection.takes(number, test)) {
        let part = selection.test.as_deref().unwrap_or_default();
        let whose = match selection.step {
            Some(number) => format!("step {number} of {}", lab.short()),
            None => lab.short().to_owned(),
        };
        let next = format!("The names of all tests stand in {}", lab.shown("lab.toml"));
        return Err(Stop::usage(format!("no test of {whose} has {part:?} in its name"), next).into());
    }
    Ok(())
}

/// What a person sees while waiting, on standard error. The verdict alone goes to standard output.
#[derive(Default)]
struct Progress {
    tests: AtomicUsize,
    ended: AtomicUsize,
}

impl Progress {
    fn show(&self, event: &Event<'_>) {
        match event {
            Event::Said { text } => anstream::eprintln!("{text}"),
            Event::Building { package } => anstream::eprintln!("Building {package} and its suite …"),
            Event::Built { tests } => self.tests.store(*tests, Ordering::Relaxed),
            Event::Tested { test } => {
                let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
                self.line(&format!("{ended} of {} tests: {}", self.tests.load(Ordering::Relaxed), test.name));
            }
        }
    }

    fn clear(&self) {
        self.line("");
    }

    /// One line that the next one overwrites; nothing at all where that cannot be done.
    fn line(&self, text: &str) {
        let mut stderr = std::io::stderr();
        if stderr.is_terminal() {
            let _ = write!(stderr, "\r\x1b[2K{text}");
            let _ = stderr.flush();
        }
    }
}
