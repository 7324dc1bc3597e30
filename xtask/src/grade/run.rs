//! Runs the tests of a suite, each in a process of its own, a few side by side.

use super::{
    Event, Selection, Session, Watcher,
    broker::Broker,
    judge::{self, Evidence},
    limits,
    process::{self, Ended},
    report::{self, Line},
};
use crate::{
    course::{manifest::Manifest, places},
    verdict::{Problem, State, Step, Test, TestOutcome},
};
use anyhow::Context as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{BuildHasher as _, RandomState},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

/// The longest time for the list of a suite's tests.
const LIST_LIMIT: Duration = Duration::from_secs(30);

/// Tells the testkit where to report. By it, too, the processes of a test are known.
pub const REPORT: &str = "LABS_REPORT";

/// Tells the testkit which of the generated schedules to run.
const SEED: &str = "LABS_SEED";

/// What librdkafka prints before it ends the process of a consumer that closes.
const LIBRARY_ENDS: &str = "rd_kafka_cgrp_terminated: assert: ";

/// A suite that is compiled.
#[derive(Debug)]
pub struct Suite<'a> {
    pub executable: PathBuf,
    /// The package's folder: where its tests run.
    pub dir: PathBuf,
    /// The lab's name.
    pub name: String,
    pub manifest: Manifest,
    /// What its tests talk to, where they need one.
    pub broker: Option<&'a Broker>,
    /// Tests whose end is known already, by their names: they are not run.
    pub known: BTreeMap<String, Test>,
}

/// What is wrong when the suite's tests are not the ones that `lab.toml` names.
pub fn disagreement(session: &Session, suite: &Suite<'_>) -> anyhow::Result<Option<Problem>> {
    let mut command = command(&suite.executable, &suite.dir);
    command.args(["--list", "--format", "terse"]);
    let ended = process::run(session, &mut command, LIST_LIMIT.mul_f64(session.scale()), |_, _| {
        ControlFlow::Continue(())
    })?;
    let text = Ended::tail(&ended.stdout);
    ended.discard();
    let there: BTreeSet<_> = text.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    if there.is_empty() {
        // Code that ends the process before it can list its tests. Each test will show it as a crash.
        return Ok(None);
    }
    let named: BTreeSet<_> =
        suite.manifest.steps.iter().flat_map(|step| &step.tests).map(String::as_str).collect();
    let only_named =
        named.difference(&there).map(|test| format!("{test}: named in lab.toml, not in the suite"));
    let only_there =
        there.difference(&named).map(|test| format!("{test}: in the suite, not named in lab.toml"));
    let details: Vec<_> = only_named.chain(only_there).collect();
    let what = "the suite and lab.toml do not name the same tests";
    let next = "As a learner: take the course's files anew. As an author: mend lab.toml.";
    Ok((!details.is_empty()).then(|| Problem::new(what, details, next)))
}

/// Runs the chosen tests and says what became of each step.
pub fn all(
    session: &Session,
    suite: &Suite<'_>,
    selection: &Selection,
    watcher: Watcher<'_>,
) -> anyhow::Result<Vec<Step>> {
    let steps = suite.manifest.numbered();
    let chosen: Vec<(usize, &str)> = steps
        .flat_map(|(number, step)| step.tests.iter().map(move |test| (number, test.as_str())))
        .filter(|(number, test)| selection.takes(*number, test))
        .collect();
    watcher(Event::Built { tests: chosen.len() });
    let mut tests = side_by_side(session, suite, selection, &chosen, watcher)?;
    let places = places::load(&suite.dir)?;
    for ((step, _), test) in chosen.iter().zip(&mut tests) {
        if let Some(failure) = test.failure.as_mut().filter(|failure| failure.place.is_none()) {
            failure.place = places::find(&places, *step, &suite.dir, &format!("labs/{}", suite.name));
        }
    }

    let steps = suite.manifest.numbered().filter_map(|(number, step)| {
        let of_step = |at: &usize| chosen[*at].0 == number;
        let tests: Vec<Test> = (0..chosen.len()).filter(of_step).map(|at| tests[at].clone()).collect();
        let state = State::of(&tests);
        (!tests.is_empty()).then(|| Step {
            number,
            title: step.title.clone(),
            state,
            points: if state == State::Passed { step.points } else { 0 },
            points_possible: if state == State::NotGradable { 0 } else { step.points },
            readme: format!("labs/{}/README.md#{}", suite.name, step.section),
            tests,
        })
    });
    Ok(steps.collect())
}

/// Tests that run at the same time, for each core. More than one, since most of a test is waiting: of the forty seconds
/// that lab-02's take one after another, three are work. One that fails waits longer still.
const TESTS_PER_CORE: usize = 6;

/// Runs the tests, a few at a time; the results stand in the order of `chosen`.
fn side_by_side(
    session: &Session,
    suite: &Suite<'_>,
    selection: &Selection,
    chosen: &[(usize, &str)],
    watcher: Watcher<'_>,
) -> anyhow::Result<Vec<Test>> {
    let next = Mutex::new(0..chosen.len());
    let done = Mutex::new(Vec::new());
    let work = || -> anyhow::Result<()> {
        loop {
            let at = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(at) = at else { return Ok(()) };
            let test = match suite.known.get(chosen[at].1) {
                Some(test) => test.clone(),
                None => one(session, suite, selection, chosen[at].1)?,
            };
            watcher(Event::Tested { test: &test });
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, test));
        }
    };
    let threads = TESTS_PER_CORE * thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, test)| test).collect())
}

/// One test. librdkafka at times ends its process when a consumer is closed during a rebalance, whoever closes it: an
/// open fault of the library (confluentinc/librdkafka#4792), seen once in some ten thousand tests. It says nothing about
/// the code, so that test runs once more. An end that it has twice stands.
fn one(session: &Session, suite: &Suite<'_>, selection: &Selection, name: &str) -> anyhow::Result<Test> {
    let (test, ended_by_library) = attempt(session, suite, selection, name)?;
    if ended_by_library { Ok(attempt(session, suite, selection, name)?.0) } else { Ok(test) }
}

/// Runs a test once. Also says whether librdkafka ended it as above.
fn attempt(
    session: &Session,
    suite: &Suite<'_>,
    selection: &Selection,
    name: &str,
) -> anyhow::Result<(Test, bool)> {
    let limit = Duration::from_secs(suite.manifest.test_seconds).mul_f64(session.scale());
    let (report, token) = (session.file("report"), token());
    // A folder for temporary files that nobody else has and that is empty: what an earlier run, or another test, has
    // left in one for all must not decide. Such code may also have removed the folder of this run.
    let temporary = session.file("tmp");
    fs::create_dir_all(&temporary).with_context(|| format!("cannot create {}", temporary.display()))?;
    // The testkit takes the token out of the file before any code under test runs. In the environment it would
    // stand for everybody to read.
    fs::write(&report, &token).with_context(|| format!("cannot write {}", report.display()))?;
    let mut command = command(&suite.executable, &suite.dir);
    command
        // With more than one thread libtest prints a test's line in one piece, after the test's own output.
        .args([name, "--exact", "--test-threads=2"])
        .env(REPORT, &report)
        .env("TMPDIR", &temporary)
        .env("LABS_TIME_SCALE", session.scale().to_string());
    if let Some(broker) = suite.broker {
        broker.tell(&mut command);
    }
    // Only what was asked for: with one that stands in somebody's shell, a part would pass for the whole.
    match selection.seed {
        Some(seed) => command.env(SEED, seed.to_string()),
        None => command.env_remove(SEED),
    };
    let running = session.started().test(&report);
    let ended = process::run(session, &mut command, limit, |_, _| ControlFlow::Continue(()))?;
    drop(running);
    let report = report::read(&report);
    let stderr = Ended::tail(&ended.stderr);
    let (outcome, failure) = judge::judge(&Evidence {
        test: name,
        status: ended.status,
        stdout: &Ended::tail(&ended.stdout),
        stderr: &stderr,
        report: &report,
        token: &token,
        backend: suite.broker.map(|broker| broker.told.backend),
        own: &format!("labs/{}/src/", suite.name),
        limit: limit.as_secs(),
    });
    if outcome.is_failure() {
        // Asked while its files are still there: they may be what fills it.
        session.ask_for_room();
    }
    ended.discard();
    let _ = fs::remove_dir_all(&temporary);
    let unusable = report.iter().find_map(Line::unusable).map(str::to_owned);
    let asks_for_broker = report.contains(&Line::AsksForBroker);
    let millis = ended.took.as_millis() as u64;
    let test = Test { name: name.to_owned(), outcome, millis, failure, unusable, asks_for_broker };
    let ended_by_library = outcome == TestOutcome::Crashed && stderr.contains(LIBRARY_ENDS);
    Ok((test, ended_by_library))
}

/// A test binary as cargo would run it, but with limits, and without colours and backtraces that a learner would have to read past.
///
/// insta, whose snapshots some suites use, would look for the workspace with a `cargo metadata` of its own in each
/// process, and write a file beside a suite whose snapshot does not match. Grading writes nothing into a checkout.
fn command(executable: &Path, dir: &Path) -> Command {
    let mut command = Command::new(executable);
    command.current_dir(dir).env("CARGO_MANIFEST_DIR", dir).env("RUST_BACKTRACE", "0").env("NO_COLOR", "1");
    command.env("INSTA_UPDATE", "no").env("INSTA_WORKSPACE_ROOT", dir);
    for forced in ["INSTA_FORCE_PASS", "INSTA_FORCE_UPDATE", "INSTA_FORCE_UPDATE_SNAPSHOTS"] {
        command.env_remove(forced);
    }
    limits::on(&mut command);
    command
}

/// A word that no test can know in advance. The standard library seeds its hashers from the system's randomness.
fn token() -> String {
    format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}
