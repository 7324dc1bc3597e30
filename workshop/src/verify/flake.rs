//! How often right code fails: every solution and every variant, many times over. A suite that fails right code once in a
//! thousand runs fails somebody in every class.

use super::{
    brokers::Brokers,
    built::{Built, Waiting},
    candidate::{self, Kind},
    suites::{Ends, grade},
};
use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use std::{
    fmt, fs,
    hint::spin_loop,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use xtask::{
    course::{Course, Lab},
    grade::{Session, broker::Broker},
    verdict::{Outcome, TestOutcome, Verdict},
};

/// Suites that run at the same time. Each runs a few tests side by side already.
const AT_A_TIME: usize = 2;

/// What was seen of one lab on one broker.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Seen {
    lab: String,
    broker: String,
    runs: usize,
    failures: Vec<String>,
    slowest_suite_ms: u64,
    slowest_test: String,
    slowest_test_ms: u64,
}

/// What was seen of all labs.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Flakes {
    #[serde(default)]
    seen: Vec<Seen>,
}

/// What was measured last, from the course's root.
const FILE: &str = "docs/flakes.toml";

impl Flakes {
    /// The last measurement that was written down.
    pub fn load(root: &Path) -> anyhow::Result<Option<Self>> {
        let Ok(text) = fs::read_to_string(root.join(FILE)) else { return Ok(None) };
        Ok(Some(toml::from_str(&text).context(FILE)?))
    }

    /// Writes it down. What was seen of other labs stays, as long as there is such a lab.
    pub fn save(&self, root: &Path, is_there: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        let mut all = Self::load(root)?.unwrap_or_default().seen;
        all.retain(|old| is_there(&old.lab) && !self.seen.iter().any(|new| new.lab == old.lab));
        all.extend(self.seen.iter().cloned());
        all.sort_by(|a, b| (&a.lab, &a.broker).cmp(&(&b.lab, &b.broker)));
        let all = Self { seen: all };
        let head = "# Written by `cargo xtask verify --flake N --write`.\n\n";
        Ok(fs::write(root.join(FILE), format!("{head}{}", toml::to_string(&all)?))?)
    }

    pub fn failures(&self) -> usize {
        self.seen.iter().map(|seen| seen.failures.len()).sum()
    }

    /// In a few words, which the README has as well.
    pub fn in_short(&self) -> String {
        let runs: usize = self.seen.iter().map(|seen| seen.runs).sum();
        format!("{runs} runs of right code, {} failures", self.failures())
    }

    fn add(&mut self, lab: &Lab, broker: Option<&Broker>, name: &str, verdict: &Verdict, took: Duration) {
        let broker = broker.map_or("none", |broker| broker.told.backend.name());
        let known = self.seen.iter().position(|seen| seen.lab == lab.short() && seen.broker == broker);
        let at = known.unwrap_or_else(|| {
            self.seen.push(Seen { lab: lab.short().into(), broker: broker.into(), ..Seen::default() });
            self.seen.len() - 1
        });
        let seen = &mut self.seen[at];
        seen.runs += 1;
        seen.slowest_suite_ms = seen.slowest_suite_ms.max(took.as_millis() as u64);
        let slowest = verdict.tests().max_by_key(|test| test.millis);
        if let Some(test) = slowest.filter(|test| test.millis > seen.slowest_test_ms) {
            (seen.slowest_test, seen.slowest_test_ms) = (test.name.clone(), test.millis);
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
    seen: &mut Flakes,
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
        let flakes = Mutex::new(&mut *seen);
        let work = || -> anyhow::Result<()> {
            while let Some((built, broker)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let began = Instant::now();
                let verdict = grade(session, lab, built, &[], *broker, Ends::new(), |manifest| manifest)?;
                let mut flakes = flakes.lock().unwrap_or_else(PoisonError::into_inner);
                flakes.add(lab, *broker, &built.candidate.name, &verdict, began.elapsed());
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

impl fmt::Display for Flakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| lab | broker | runs | failures | slowest suite | slowest test |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for seen in &self.seen {
            let Seen { lab, broker, runs, failures, slowest_suite_ms, slowest_test, slowest_test_ms } = seen;
            let (failures, suite, test) = (failures.len(), *slowest_suite_ms as f64, *slowest_test_ms as f64);
            let (suite, test) = (suite / 1000.0, test / 1000.0);
            writeln!(
                f,
                "| {lab} | {broker} | {runs} | {failures} | {suite:.1} s | `{slowest_test}` {test:.1} s |"
            )?;
        }
        for Seen { lab, broker, failures, .. } in &self.seen {
            for failure in failures {
                write!(f, "\n✗ {lab} ({broker}) {failure}")?;
            }
        }
        writeln!(f, "\n{}", self.in_short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_of_other_labs_stays() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        let seen = |labs: &[(&str, usize)]| {
            let seen =
                |(lab, runs): &(&str, usize)| Seen { lab: (*lab).into(), runs: *runs, ..Seen::default() };
            Flakes { seen: labs.iter().map(seen).collect() }
        };
        seen(&[("lab-01", 1), ("lab-02", 2), ("lab-09", 3)]).save(root.path(), |_| true).unwrap();
        seen(&[("lab-00", 4), ("lab-02", 5)]).save(root.path(), |lab| lab != "lab-09").unwrap();
        let there = Flakes::load(root.path()).unwrap().unwrap().seen;
        let there: Vec<_> = there.iter().map(|seen| (seen.lab.as_str(), seen.runs)).collect();
        assert_eq!(there, [("lab-00", 4), ("lab-01", 1), ("lab-02", 5)]);
    }
}
