//! How often right code fails: every solution and every variant, many times over. A suite that fails right code once in a
//! thousand runs fails somebody in every class.

use super::{
    brokers::Brokers,
    built::{Built, Waiting},
    candidate::{self, Kind},
    suites::{Ends, grade},
};
use crate::{
    course::{Course, Lab},
    grade::{Session, broker::Broker},
    verdict::{Outcome, TestOutcome, Verdict},
};
use anyhow::ensure;
use std::{
    collections::BTreeMap,
    fmt,
    hint::spin_loop,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Suites that run at the same time. Each runs a few tests side by side already.
const AT_A_TIME: usize = 2;

/// What was seen of one lab on one broker.
#[derive(Debug, Default)]
struct Seen {
    runs: usize,
    failures: Vec<String>,
    slowest_suite: Duration,
    /// Its name and time.
    slowest_test: (String, Duration),
}

/// What was seen of all labs.
#[derive(Debug, Default)]
pub struct Runs {
    seen: BTreeMap<(String, &'static str), Seen>,
}

impl Runs {
    pub fn failures(&self) -> usize {
        self.seen.values().map(|seen| seen.failures.len()).sum()
    }

    fn add(&mut self, lab: &Lab, broker: Option<&Broker>, name: &str, verdict: &Verdict, took: Duration) {
        let backend = broker.map_or("no broker", |broker| broker.told.backend.name());
        let seen = self.seen.entry((lab.short().to_owned(), backend)).or_default();
        seen.runs += 1;
        seen.slowest_suite = seen.slowest_suite.max(took);
        for test in verdict.tests() {
            let took = Duration::from_millis(test.millis);
            if took > seen.slowest_test.1 {
                seen.slowest_test = (test.name.clone(), took);
            }
        }
        if verdict.outcome != Outcome::Passed {
            let failed = verdict.tests().filter(|test| test.outcome != TestOutcome::Passed);
            let failed = failed.map(|test| {
                let failure = test.failure.as_ref();
                let why = failure.map_or("", |failure| failure.seen.as_deref().unwrap_or(&failure.what));
                format!("{} ({why})", test.name)
            });
            let problem = verdict.problem.iter().map(|problem| problem.what.clone());
            let why: Vec<_> = problem.chain(failed).collect();
            seen.failures.push(format!("{name}: {}", why.join("; ")));
        }
    }
}

/// Runs what is right in one lab so often on each broker, every other time with all cores busy.
pub fn prove(
    course: &Course,
    session: &Session,
    brokers: &Brokers,
    lab: &Lab,
    times: usize,
    runs: &mut Runs,
) -> anyhow::Result<()> {
    let right = candidate::all(lab)?
        .into_iter()
        .filter(|(candidate, _)| matches!(candidate.kind, Kind::Solution | Kind::Variant));
    let (waiting, mut unfit) = Waiting::write(course, lab, right.collect())?;
    let (queue, built) = mpsc::channel();
    unfit.extend(waiting.build(course, session, queue)?);
    ensure!(unfit.is_empty(), "{} cannot be built: {}", unfit[0].0.name, unfit[0].1);
    let built: Vec<Built> = built.into_iter().collect();

    for (loaded, share) in [(false, times.div_ceil(2)), (true, times / 2)] {
        super::say(&format!(
            "{}: {share} times{}",
            lab.short(),
            if loaded { ", all cores busy" } else { "" }
        ));
        let _load = loaded.then(Load::start);
        let each = (0..share).flat_map(|_| built.iter().map(|built| (built, brokers.of(lab))));
        let all: Vec<_> = each
            .flat_map(|(built, brokers)| brokers.into_iter().map(move |broker| (built, broker)))
            .collect();
        let next = AtomicUsize::new(0);
        let seen = Mutex::new(&mut *runs);
        let work = || -> anyhow::Result<()> {
            while let Some((built, broker)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let began = Instant::now();
                let verdict = grade(session, lab, built, &[], *broker, Ends::new())?;
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.add(lab, *broker, &built.candidate.name, &verdict, began.elapsed());
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
        })?;
    }
    Ok(())
}

/// Keeps every core busy while it lives.
struct Load {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let spin = |over: Arc<AtomicBool>| {
            move || {
                while !over.load(Ordering::Relaxed) {
                    spin_loop()
                }
            }
        };
        let threads = (0..cores).map(|_| thread::spawn(spin(Arc::clone(&over)))).collect();
        Self { over, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((lab, backend), seen) in &self.seen {
            for failure in &seen.failures {
                writeln!(f, "✗ {lab} ({backend}) {failure}")?;
            }
        }
        writeln!(f, "| lab | broker | runs | failures | slowest suite | slowest test |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for ((lab, backend), seen) in &self.seen {
            let Seen { runs, failures, slowest_suite, slowest_test: (name, took) } = seen;
            let (suite, test, failures) = (slowest_suite.as_secs_f64(), took.as_secs_f64(), failures.len());
            writeln!(f, "| {lab} | {backend} | {runs} | {failures} | {suite:.1} s | `{name}` {test:.1} s |")?;
        }
        let runs: usize = self.seen.values().map(|seen| seen.runs).sum();
        writeln!(f, "\n{runs} runs of right code, {} failures", self.failures())
    }
}
