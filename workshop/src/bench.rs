//! How long people wait, beside what bare cargo takes for the same work on the same machine. A time alone says more about the
//! machine than about the grader; a ratio from one run does not.

use crate::{grader, verify::finished_course};
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use xtask::{
    course::{Course, Lab},
    grade::{self, Session, build::cargo},
    scratch,
};

/// The longest time for one command.
const LIMIT: Duration = Duration::from_secs(1800);

/// So often a short wait is measured; the median counts.
const ROUNDS: usize = 5;

/// So often a fresh clone is built. The shortest time counts: what else goes on at the machine only adds to it.
const CLONES: usize = 2;

/// The lab that a fresh clone begins with.
const FIRST: &str = "01";

/// One line of the result.
#[derive(Debug)]
pub struct Line {
    what: String,
    took: Duration,
    /// What bare cargo took.
    bare: Option<Duration>,
    /// The most that is allowed.
    most: Option<Most>,
}

#[derive(Clone, Copy, Debug)]
enum Most {
    Ratio(f64),
    Time(Duration),
}

impl Line {
    fn holds(&self) -> bool {
        match (self.most, self.ratio()) {
            (Some(Most::Ratio(most)), Some(ratio)) => ratio <= most,
            (Some(Most::Time(most)), _) => self.took <= most,
            _ => true,
        }
    }

    fn ratio(&self) -> Option<f64> {
        self.bare.map(|bare| self.took.as_secs_f64() / bare.as_secs_f64())
    }
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Result {
    lines: Vec<Line>,
}

impl Result {
    pub fn holds(&self) -> bool {
        self.lines.iter().all(Line::holds)
    }

    fn add(&mut self, what: impl Into<String>, took: Duration, bare: Option<Duration>, most: Option<Most>) {
        self.lines.push(Line { what: what.into(), took, bare, most });
    }
}

/// Measures. `quick`: without the two fresh clones, which take minutes.
pub fn run(course: &Course, quick: bool) -> anyhow::Result<Result> {
    let session = Session::start(&course.root)?;
    let mut result = Result::default();
    let bench = Bench { course, session: &session, grader: grader::path()? };
    let first = course.lab(FIRST)?;
    if !quick {
        bench.fresh(first, &mut result)?;
    }
    bench.warm(first, &mut result)?;
    let docker = bench.broker(&mut result)?;
    for lab in &course.labs {
        let needs_kafka = lab.manifest()?.needs_kafka();
        let brokers: &[&str] = match (needs_kafka, docker) {
            (false, _) => &[""],
            (true, false) => &["embedded"],
            (true, true) => &["embedded", "docker"],
        };
        for broker in brokers {
            bench.tests(lab, broker, &mut result)?;
        }
    }
    if docker {
        bench.xtask(&course.root, &["broker", "down"])?;
    }
    Ok(result)
}

struct Bench<'a> {
    course: &'a Course,
    session: &'a Session,
    grader: PathBuf,
}

impl Bench<'_> {
    /// From a fresh clone to the first verdict, beside a build of the same suite by cargo alone.
    fn fresh(&self, lab: &Lab, result: &mut Result) -> anyhow::Result<()> {
        let (mut ours, mut bare) = (Duration::MAX, Duration::MAX);
        for _ in 0..CLONES {
            ours = ours.min(self.in_clone(&["xtask", "check", &lab.name])?);
            let suite = ["test", "--no-run", "--package", &lab.name, "--test", "suite"];
            bare = bare.min(self.in_clone(&suite)?);
        }
        let what = format!("fresh clone to the first verdict, {}", lab.short());
        result.add(what, ours, Some(bare), Some(Most::Ratio(1.2)));
        Ok(())
    }

    /// Times cargo in a clone of what is committed, with nothing compiled.
    fn in_clone(&self, arguments: &[&str]) -> anyhow::Result<Duration> {
        let dir = self.session.file("clone");
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet"]).arg(&self.course.root).arg(&dir);
        let (success, output) = grade::run_and_read(self.session, &mut clone, LIMIT)?;
        ensure!(success, "git clone failed:\n{output}");
        say("a fresh clone is being built");
        // An untouched lab fails, and that is its verdict.
        let mut command = Command::new(cargo());
        command.args(arguments).current_dir(&dir).env("CARGO_TARGET_DIR", dir.join("target"));
        let (took, _) = self.timed(&mut command)?;
        fs::remove_dir_all(&dir).context("the clone cannot be removed")?;
        Ok(took)
    }

    /// From an edit to the verdict, beside `cargo test` of the same suite after the same edit.
    fn warm(&self, lab: &Lab, result: &mut Result) -> anyhow::Result<()> {
        let root = self.finished(lab)?;
        let target = scratch::target_dir(&self.course.root);
        // `cargo xtask` looks first whether the grader itself is up to date.
        let mut freshness = Command::new(cargo());
        freshness
            .args(["run", "--quiet", "--package", "xtask", "--", "--version"])
            .current_dir(&self.course.root);
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        say(&format!("{} is edited and checked {} times", lab.short(), 2 * ROUNDS));
        for round in 0..=ROUNDS {
            self.edit(&root, lab, 2 * round)?;
            let mut check = Command::new(&self.grader);
            check.args(["check", &lab.name]).current_dir(&root).env("CARGO_TARGET_DIR", &target);
            let took = self.timed(&mut check)?.0 + self.timed(&mut freshness)?.0;
            self.edit(&root, lab, 2 * round + 1)?;
            let mut test = Command::new(cargo());
            test.args(["test", "--package", &lab.name, "--test", "suite"]);
            let by_cargo = self.timed(test.current_dir(&root).env("CARGO_TARGET_DIR", &target))?.0;
            // The first round compiles what is there no longer.
            if round > 0 {
                ours.push(took);
                bare.push(by_cargo);
            }
        }
        let what = format!("edit to verdict, {}", lab.short());
        result.add(what, median(ours), Some(median(bare)), Some(Most::Ratio(1.2)));
        Ok(())
    }

    /// Starts a broker in a container, where there is Docker, and leaves it running. Says whether it does.
    fn broker(&self, result: &mut Result) -> anyhow::Result<bool> {
        self.xtask(&self.course.root, &["broker", "down"])?;
        // The first start compiles the program that does it.
        let (_, started) = self.xtask(&self.course.root, &["broker", "up"])?;
        if !started {
            say("no broker in a container: `cargo xtask broker up` says why");
            return Ok(false);
        }
        self.xtask(&self.course.root, &["broker", "down"])?;
        let (took, _) = self.xtask(&self.course.root, &["broker", "up"])?;
        result.add("broker up", took, None, None);
        Ok(true)
    }

    /// The time of a lab's tests on the solution.
    fn tests(&self, lab: &Lab, broker: &str, result: &mut Result) -> anyhow::Result<()> {
        let root = self.finished(lab)?;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let mut check = Command::new(&self.grader);
            check.args(["check", &lab.name, "--format", "json"]).current_dir(&root);
            if !broker.is_empty() {
                check.args(["--broker", broker]);
            }
            check.env("CARGO_TARGET_DIR", scratch::target_dir(&self.course.root));
            let output = check.output().context("the grader cannot be started")?;
            let verdict: Value = serde_json::from_slice(&output.stdout)?;
            ensure!(verdict["outcome"] == "passed", "the solution of {} did not pass", lab.short());
            times.push(Duration::from_millis(verdict["tests_millis"].as_u64().unwrap_or_default()));
        }
        let most = Duration::from_secs(if broker == "docker" { 15 } else { 5 });
        let on = if broker.is_empty() { String::new() } else { format!(", {broker}") };
        result.add(format!("tests of {}{on}", lab.short()), median(times), None, Some(Most::Time(most)));
        Ok(())
    }

    /// A course in which this lab is solved, and which knows the warm broker.
    fn finished(&self, lab: &Lab) -> anyhow::Result<PathBuf> {
        let root = finished_course(self.course, lab)?.root;
        let there = Course::at(&root)?.state_dir();
        fs::create_dir_all(&there)?;
        // Not there without Docker.
        let _ = fs::copy(self.course.state_dir().join("broker.json"), there.join("broker.json"));
        Ok(root)
    }

    /// Another line at the end of a file of the lab.
    fn edit(&self, root: &Path, lab: &Lab, number: usize) -> anyhow::Result<()> {
        let path = root.join("labs").join(&lab.name).join("src/lib.rs");
        let text = fs::read_to_string(&path)?;
        let text = text.split("\n// edit ").next().unwrap_or_default();
        Ok(fs::write(&path, format!("{text}\n// edit {number}\n"))?)
    }

    fn xtask(&self, root: &Path, arguments: &[&str]) -> anyhow::Result<(Duration, bool)> {
        self.timed(Command::new(&self.grader).args(arguments).current_dir(root))
    }

    fn timed(&self, command: &mut Command) -> anyhow::Result<(Duration, bool)> {
        let began = Instant::now();
        let (success, _) = grade::run_and_read(self.session, command, LIMIT)?;
        Ok((began.elapsed(), success))
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn say(what: &str) {
    anstream::eprintln!("bench {what}");
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | took | bare cargo | ratio | at most |")?;
        writeln!(f, "| --- | --- | --- | --- | --- |")?;
        for line in &self.lines {
            let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
            let most = match line.most {
                Some(Most::Ratio(ratio)) => format!("{ratio:.1}"),
                Some(Most::Time(time)) => seconds(time),
                None => String::new(),
            };
            let mark = if line.holds() { "" } else { " ✗" };
            let bare = line.bare.map(seconds).unwrap_or_default();
            let ratio = line.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            writeln!(f, "| {} | {} | {bare} | {ratio} | {most}{mark} |", line.what, seconds(line.took))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_takes_too_long_is_marked() {
        let mut result = Result::default();
        let time = Duration::from_secs;
        result.add("edit", time(11), Some(time(10)), Some(Most::Ratio(1.2)));
        assert!(result.holds());
        result.add("tests", time(6), None, Some(Most::Time(time(5))));
        assert!(!result.holds());
        let text = result.to_string();
        assert!(
            text.ends_with("| edit | 11.0 s | 10.0 s | 1.10 | 1.2 |\n| tests | 6.0 s |  |  | 5.0 s ✗ |\n"),
            "{text}"
        );
    }

    #[test]
    fn the_median_is_no_outlier() {
        assert_eq!(median([9, 1, 2].map(Duration::from_secs).to_vec()), Duration::from_secs(2));
    }
}
