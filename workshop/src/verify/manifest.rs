//! Proves that a lab's `lab.toml` is complete.

use super::table::Row;
use crate::patch::Patch;
use anyhow::ensure;
use std::collections::BTreeSet;
use xtask::course::{Lab, manifest::Manifest};

const FEWEST_MISTAKES: usize = 6;
const FEWEST_VARIANTS: usize = 3;
const FEWEST_HINTS: usize = 3;

pub fn prove(lab: &Lab) -> anyhow::Result<Vec<Row>> {
    let manifest = lab.manifest()?;
    let mistakes = Patch::load_all(&lab.solution()?.join("mistakes"))?;
    let variants = Patch::load_all(&lab.solution.join("variants"))?;
    Ok(vec![
        Row::of("steps", steps(&manifest)),
        Row::of("tests", each_test_once(&manifest)),
        Row::of("mistakes", known_mistakes(&manifest, &mistakes)),
        Row::of("every test is needed", every_test_is_needed(&manifest, &mistakes)),
        Row::of("variants", enough_variants(&variants)),
    ])
}

fn steps(manifest: &Manifest) -> anyhow::Result<()> {
    ensure!(manifest.points() == 100, "the steps have {} points together, not 100", manifest.points());
    ensure!(
        !manifest.summary.is_empty() && !manifest.learnt.is_empty(),
        "summary and learnt must say something"
    );
    ensure!(manifest.minutes > 0, "minutes must say how long a learner needs");
    for (number, step) in manifest.numbered() {
        ensure!(!step.tests.is_empty(), "step {number} has no test");
        ensure!(step.points > 0, "step {number} has no points");
        ensure!(step.hints.len() >= FEWEST_HINTS, "step {number} has fewer than {FEWEST_HINTS} hints");
    }
    Ok(())
}

fn tests(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.steps.iter().flat_map(|step| &step.tests).map(String::as_str)
}

fn each_test_once(manifest: &Manifest) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for test in tests(manifest) {
        ensure!(seen.insert(test), "{test} stands in lab.toml twice");
    }
    Ok(())
}

fn known_mistakes(manifest: &Manifest, mistakes: &[Patch]) -> anyhow::Result<()> {
    ensure!(
        mistakes.len() >= FEWEST_MISTAKES,
        "a lab has at least {FEWEST_MISTAKES} mistakes; here: {}",
        mistakes.len()
    );
    let known: BTreeSet<&str> = tests(manifest).collect();
    for mistake in mistakes {
        ensure!(!mistake.fails.is_empty(), "{} says fails = [], so nothing would catch it", mistake.name);
        for test in mistake.fails.iter().chain(&mistake.may_fail) {
            ensure!(
                known.contains(test.as_str()),
                "{} fails {test}, which lab.toml does not name",
                mistake.name
            );
        }
    }
    Ok(())
}

/// A test that no mistake fails may be one that cannot fail.
fn every_test_is_needed(manifest: &Manifest, mistakes: &[Patch]) -> anyhow::Result<()> {
    let failed: BTreeSet<&str> =
        mistakes.iter().flat_map(|mistake| &mistake.fails).map(String::as_str).collect();
    let idle: Vec<_> = tests(manifest).filter(|test| !failed.contains(test)).collect();
    ensure!(idle.is_empty(), "no mistake fails {}", idle.join(", "));
    Ok(())
}

fn enough_variants(variants: &[Patch]) -> anyhow::Result<()> {
    ensure!(
        variants.len() >= FEWEST_VARIANTS,
        "a lab has at least {FEWEST_VARIANTS} variants; here: {}",
        variants.len()
    );
    for variant in variants {
        ensure!(variant.fails.is_empty(), "{} is a variant and names failing tests", variant.name);
    }
    Ok(())
}
