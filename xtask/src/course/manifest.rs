//! `lab.toml`: what is graded.

use crate::exit::{Exit, Stop};
use serde::Deserialize;
use std::{fs, path::Path};

/// What a lab that talks to a broker says under `needs`.
pub const KAFKA: &str = "kafka";

/// A lab as its author describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub title: String,
    /// One line for `list`.
    pub summary: String,
    /// How long a learner needs, in minutes.
    pub minutes: u32,
    /// What the lab needs beyond Rust.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Said when the lab has passed.
    pub learnt: String,
    /// The steps in order; a step's number is its position, from 1.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
    /// Longest time for one test on a common machine, in seconds.
    #[serde(default = "default_test_seconds")]
    pub test_seconds: u64,
}

/// A graded part of a lab.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub title: String,
    /// Anchor of the README's section.
    pub section: String,
    pub points: u32,
    /// The tests of the step, by the names that libtest gives them.
    pub tests: Vec<String>,
    /// From vague to nearly there.
    pub hints: Vec<String>,
}

fn default_test_seconds() -> u64 {
    60
}

impl Manifest {
    pub fn load(lab: &str, path: &Path) -> anyhow::Result<Self> {
        let mend = format!("Put it back with: cargo xtask reset {lab} --tests");
        let broken = |what| Stop::new(Exit::LabBroken, what, mend);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return Err(broken(format!("{} cannot be read: {error}", path.display())).into()),
        };
        toml::from_str(&text)
            .map_err(|error| broken(format!("{} is damaged:\n{error}", path.display())).into())
    }

    /// What is known of a lab whose `lab.toml` cannot be read.
    pub fn unknown() -> Self {
        Self {
            title: "a lab whose lab.toml cannot be read".into(),
            summary: String::new(),
            minutes: 0,
            needs: Vec::new(),
            learnt: String::new(),
            steps: Vec::new(),
            test_seconds: default_test_seconds(),
        }
    }

    pub fn points(&self) -> u32 {
        self.steps.iter().map(|step| step.points).sum()
    }

    /// Whether its tests talk to a broker.
    pub fn needs_kafka(&self) -> bool {
        self.needs.iter().any(|need| need == KAFKA)
    }

    /// The steps with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &Step)> {
        (1..).zip(&self.steps)
    }

    /// The step of a number that a person typed.
    pub fn step(&self, number: usize) -> anyhow::Result<&Step> {
        let step = number.checked_sub(1).and_then(|index| self.steps.get(index));
        step.ok_or_else(|| {
            let what = format!("there is no step {number} in {}", self.title);
            Stop::usage(what, format!("Its steps are 1 to {}.", self.steps.len())).into()
        })
    }
}
