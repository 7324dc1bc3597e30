//! `check`: grades a lab, or all of them, once or after each change.

use crate::{
    cli,
    course::{Course, Lab, manifest::Manifest},
    exit::{Exit, Stop},
    grade::{Event, Grader, Selection},
    render::{self, github, json, junit},
    state::State,
    verdict::{self, NextStep, Outcome, Summary, Verdict},
};
use anyhow::Context as _;
use std::{
    env,
    fs::OpenOptions,
    io::{IsTerminal as _, Write as _},
    sync::atomic::{AtomicUsize, Ordering},
    time::SystemTime,
};

pub fn run(course: &Course, args: &cli::Check) -> anyhow::Result<Exit> {
    let selection =
        Selection { step: args.step, test: args.test.clone(), broker: args.broker.clone(), seed: args.seed };
    let Some(lab) = &args.lab else { return all_labs(course, args, &selection) };
    let lab = course.lab(lab)?;
    validate(lab, &selection)?;
    let mut grader = Grader::start(course)?;
    if args.watch {
        return super::watch::run(lab, || one(course, &mut grader, lab, args, &selection).map(drop));
    }
    one(course, &mut grader, lab, args, &selection)
}

fn one(
    course: &Course,
    grader: &mut Grader<'_>,
    lab: &Lab,
    args: &cli::Check,
    selection: &Selection,
) -> anyhow::Result<Exit> {
    let progress = Progress::default();
    let mut verdict = grader.check(lab, selection, &|event| progress.show(&event))?;
    progress.clear();
    if let Ok(manifest) = lab.manifest() {
        look_ahead(course, lab, selection, &manifest, &mut verdict)?;
    }
    let text = match args.format {
        cli::Format::Text => render::text::verdict(&verdict, args.all),
        cli::Format::Json => json::of(&verdict)?,
        cli::Format::Junit => junit::verdicts(&[&verdict], SystemTime::now())?,
        cli::Format::Github => {
            summarize(&[&verdict])?;
            github::log(&render::text::verdict(&verdict, args.all), &[&verdict])
        }
    };
    print(&text)?;
    Ok(verdict.outcome.exit())
}

fn all_labs(course: &Course, args: &cli::Check, selection: &Selection) -> anyhow::Result<Exit> {
    let mut grader = Grader::start(course)?;
    let mut verdicts = Vec::new();
    for lab in &course.labs {
        let progress = Progress::default();
        let mut verdict = grader.check(lab, selection, &|event| progress.show(&event))?;
        progress.clear();
        if let Ok(manifest) = lab.manifest() {
            look_ahead(course, lab, selection, &manifest, &mut verdict)?;
        }
        verdicts.push(verdict);
    }
    let summary = Summary::of(verdicts);
    let all: Vec<_> = summary.labs.iter().collect();
    let text = match args.format {
        cli::Format::Text => render::summary::summary(&summary),
        cli::Format::Json => json::of(&summary)?,
        cli::Format::Junit => junit::verdicts(&all, SystemTime::now())?,
        cli::Format::Github => {
            summarize(&all)?;
            github::log(&render::summary::summary(&summary), &all)
        }
    };
    print(&text)?;
    Ok(summary.outcome.exit())
}

/// The verdict alone goes to standard output.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout();
    let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    printed.context("the verdict cannot be printed")
}

/// Adds to the summary of a job on GitHub, which is a file that a variable names. Elsewhere there is none.
fn summarize(verdicts: &[&Verdict]) -> anyhow::Result<()> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let mut file = OpenOptions::new().create(true).append(true).open(&path).context("GITHUB_STEP_SUMMARY")?;
    file.write_all(github::summary(verdicts).as_bytes()).context("GITHUB_STEP_SUMMARY")
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
