//! From a learner's code to a verdict.
//!
//! ```text
//! sums ─▶ build ─▶ run (each test in a process) ─▶ judge ─▶ verdict
//!         broker (for a lab that needs Kafka) ▲
//! ```
//!
//! What happens meanwhile goes to a [`Watcher`] as [`Event`]s; nothing here prints.

pub mod broker;
pub mod build;
mod follow;
mod guard;
mod judge;
mod limits;
mod orphans;
mod printed;
mod process;
mod report;
mod run;
mod scale;
mod session;
pub mod signals;
mod sources;
mod untrusted;

pub use guard::guard;
pub use run::Suite;
pub use session::Session;
pub use signals::end_with_the_reader;

use crate::{
    course::{
        Course, Lab,
        manifest::Manifest,
        mistakes::{self, Mistake},
        sums,
    },
    verdict::{self, Outcome, Problem, Verdict},
};
use broker::{Choice, Coming, Plan};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::ControlFlow,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// Something that happened during a check.
#[derive(Debug)]
pub enum Event<'a> {
    /// Something that somebody who waits wants to know.
    Said { text: &'a str },
    /// The suite is being compiled.
    Building { package: &'a str },
    /// The suite is compiled; so many tests will run.
    Built { tests: usize },
    /// A test ended.
    Tested { test: &'a verdict::Test },
}

/// Who is told of events as they happen.
pub type Watcher<'a> = &'a (dyn Fn(Event<'_>) + Sync);

/// Which tests to run, and on what.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only this step.
    pub step: Option<usize>,
    /// Only tests whose name contains this.
    pub test: Option<String>,
    /// On this broker and no other.
    pub broker: Option<Choice>,
    /// Of all generated schedules, only that of this seed.
    pub seed: Option<u64>,
}

impl Selection {
    /// Whether every test of a step is run in full, as its points demand.
    pub fn is_of_whole_steps(&self) -> bool {
        self.test.is_none() && self.seed.is_none()
    }

    /// What to type after `cargo xtask check LAB` to choose the same again.
    pub fn arguments(&self) -> String {
        let step = self.step.map(|step| format!(" --step {step}"));
        let test = self.test.as_ref().map(|test| format!(" --test {test}"));
        let broker = self.broker.as_ref().map(|broker| format!(" --broker {broker}"));
        let seed = self.seed.map(|seed| format!(" --seed {seed}"));
        [step, test, broker, seed].into_iter().flatten().collect()
    }

    pub fn takes(&self, step: usize, test: &str) -> bool {
        self.step.is_none_or(|wanted| wanted == step)
            && self.test.as_ref().is_none_or(|part| test.contains(part.as_str()))
    }
}

/// Grades labs, one after another, on one broker: it is started when a lab first needs it.
#[derive(Debug)]
pub struct Grader<'a> {
    course: &'a Course,
    session: Session,
    broker: Option<Coming>,
}

impl<'a> Grader<'a> {
    pub fn start(course: &'a Course) -> anyhow::Result<Self> {
        Ok(Self { course, session: Session::start(&course.root)?, broker: None })
    }

    /// Grades a learner's lab.
    pub fn check(
        &mut self,
        lab: &Lab,
        selection: &Selection,
        watcher: Watcher<'_>,
    ) -> anyhow::Result<Verdict> {
        let began = Instant::now();
        let changed = sums::changed(lab)?;
        let manifest = match lab.manifest() {
            Ok(manifest) => manifest,
            Err(error) if changed.is_empty() => return Err(error),
            Err(_) => Manifest::unknown(),
        };
        let mut verdict = Verdict::empty(lab, &manifest);
        if changed.is_empty() {
            self.build_and_grade(lab, manifest, selection, watcher, &mut verdict)?;
        } else {
            verdict.stop(Outcome::LabBroken, suite_changed(lab, &changed));
        }
        verdict.millis = began.elapsed().as_millis() as u64;
        Ok(verdict)
    }

    /// Compiles the suite, while its broker starts where it needs one, and grades it.
    fn build_and_grade(
        &mut self,
        lab: &Lab,
        manifest: Manifest,
        selection: &Selection,
        watcher: Watcher<'_>,
        verdict: &mut Verdict,
    ) -> anyhow::Result<()> {
        let (session, root) = (&self.session, &self.course.root);
        let needs_kafka = manifest.needs_kafka();
        // Nothing is compiled for a broker that will not come.
        if needs_kafka && !self.broker.as_ref().is_some_and(Coming::is_usable) {
            let plan = Plan::make(self.course, selection.broker.as_ref())?;
            match broker::begin(session, root, plan, watcher) {
                Ok(coming) => self.broker = Some(coming),
                Err(problem) => {
                    verdict.stop(Outcome::Infrastructure, problem);
                    return Ok(());
                }
            }
        }
        watcher(Event::Building { package: &lab.name });
        let executable = match build::suite(session, root, lab, selection)? {
            Ok(executable) => executable,
            Err((outcome, problem)) => {
                verdict.stop(outcome, problem);
                return Ok(());
            }
        };
        // Whatever ran in the build may have changed them.
        let changed = sums::changed(lab)?;
        if !changed.is_empty() {
            verdict.stop(Outcome::LabBroken, suite_changed(lab, &changed));
            return Ok(());
        }
        let coming = self.broker.take_if(|_| needs_kafka);
        let broker = match coming.map(|coming| coming.wait(session, watcher)).transpose() {
            Ok(broker) => broker,
            Err(problem) => {
                verdict.stop(Outcome::Infrastructure, problem);
                return Ok(());
            }
        };
        let (dir, name) = (lab.dir.clone(), lab.name.clone());
        let known = BTreeMap::new();
        let suite = Suite { executable, dir, name, manifest, broker: broker.as_ref(), known };
        grade(session, &suite, &mistakes::load(&lab.dir)?, selection, watcher, verdict)?;
        if let Some(broker) = broker {
            self.broker = Some(Coming::There(broker));
        }
        Ok(())
    }
}

/// Runs a suite that is built and fills in what it found.
pub fn grade(
    session: &Session,
    suite: &Suite<'_>,
    known: &[Mistake],
    selection: &Selection,
    watcher: Watcher<'_>,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    if let Some(problem) = run::disagreement(session, suite)? {
        verdict.stop(Outcome::LabBroken, problem);
        return Ok(());
    }
    verdict.time_scale = session.scale();
    verdict.broker = suite.broker.map(|broker| broker.told.clone());
    let began = Instant::now();
    let steps = run::all(session, suite, selection, watcher)?;
    verdict.tests_millis = began.elapsed().as_millis() as u64;
    if let Some(dir) = session.was_full() {
        verdict.stop(Outcome::Infrastructure, no_room(dir));
        return Ok(());
    }
    if let Some(problem) = suite.broker.and_then(|broker| broker.at_fault(&steps)) {
        // Nobody can say which of the tests failed for that.
        verdict.stop(Outcome::Infrastructure, problem);
        return Ok(());
    }
    verdict.fill(steps, selection.is_of_whole_steps());

    let names = |wanted: fn(&verdict::Test) -> bool| -> BTreeSet<&str> {
        verdict.tests().filter(|test| wanted(test)).map(|test| test.name.as_str()).collect()
    };
    // A mistake breaks rules. A test that crashed or hung has another reason, and says nothing for or against one.
    let failed = names(|test| test.outcome == verdict::TestOutcome::Failed);
    let passed = names(|test| test.outcome == verdict::TestOutcome::Passed);
    let likely = mistakes::explain(known, &failed, &passed);
    let likely = likely
        .into_iter()
        .map(|mistake| verdict::Likely { name: mistake.name.clone(), says: mistake.says.clone() });
    verdict.likely = likely.collect();
    Ok(())
}

/// Runs a command to its end and says whether it succeeded, with the end of all that it printed.
pub fn run_and_read(
    session: &Session,
    command: &mut Command,
    limit: Duration,
) -> anyhow::Result<(bool, String)> {
    let ended =
        process::run(session, command, limit.mul_f64(session.scale()), |_, _| ControlFlow::Continue(()))?;
    Ok((ended.status.is_some_and(|status| status.success()), ended.output()))
}

/// Runs a command until it prints a first line on standard output, then ends it. Says whether it did.
pub fn run_until_it_speaks(
    session: &Session,
    command: &mut Command,
    limit: Duration,
) -> anyhow::Result<(bool, String)> {
    let mut spoke = false;
    let ended = process::run(session, command, limit.mul_f64(session.scale()), |stdout, _| {
        spoke = fs::read(stdout).is_ok_and(|bytes| bytes.contains(&b'\n'));
        if spoke { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok((spoke && ended.status.is_none(), ended.output()))
}

fn no_room(dir: &Path) -> Problem {
    Problem::new(
        "the disk was full while tests ran, so nobody can say why they failed; this is not about your code",
        vec![format!("no room in {}", dir.display())],
        "Make room, then check again. If it fills up each time, look at what your code writes.",
    )
}

fn suite_changed(lab: &Lab, changed: &[String]) -> Problem {
    Problem::new(
        "files of the suite are not as their author left them, so a verdict would mean nothing",
        changed.iter().map(|file| lab.shown(file)).collect(),
        format!("Put them back (your code is left alone): cargo xtask reset {} --tests", lab.short()),
    )
}
