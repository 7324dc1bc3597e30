//! `docs/trust.md`: what the grader's word is worth, in figures. Everything in it is read from where it is proven or
//! was measured, and `verify` says when the page no longer says the same.

use super::{
    flake::Flakes,
    mutants::{Equal, Found},
};
use crate::patch::Patch;
use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::{fmt::Write as _, fs, path::Path};
use xtask::course::{Course, Lab};

/// The page, from the course's root.
pub const FILE: &str = "docs/trust.md";

/// What submissions may do, and what becomes of it: the grader's own tests hold it to each line.
const CASES: &str = "xtask/tests/hostile/cases.toml";

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    does: String,
    outcome: String,
    says: Option<String>,
    on: Option<String>,
}

/// Compares the page with what it is made from, or writes it.
pub fn prove(course: &Course, write: bool) -> anyhow::Result<()> {
    let text = text(course)?;
    let path = course.root.join(FILE);
    if write {
        fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
        fs::write(&path, &text)?;
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    ensure!(there == text, "{FILE} is stale. Write it anew: cargo xtask verify --write");
    Ok(())
}

fn text(course: &Course) -> anyhow::Result<String> {
    let mut text = String::from(
        "# What a verdict is worth\n\n\
         Written by `cargo xtask verify --write`; `cargo xtask verify` proves the first two tables each time it runs.\n\n\
         ## Code of which it is known whether it is right\n\n\
         Every mistake is caught by exactly the tests that name it, and its verdict names it. Every variant, a right \
         solution\nbuilt differently, passes in full. Which test catches what stands in `kills.md` beside each \
         walkthrough.\n\n\
         | lab | tests | mistakes caught | variants passed | mutants caught |\n| --- | --- | --- | --- | --- |\n",
    );
    for lab in &course.labs {
        text += &figures(lab)?;
    }
    hostile(&mut text, &course.root)?;
    flakes(&mut text, &course.root)?;
    mutants(&mut text, course)?;
    Ok(text)
}

/// A lab's line of figures, which the README has as well.
fn figures(lab: &Lab) -> anyhow::Result<String> {
    let tests: usize = lab.manifest()?.steps.iter().map(|step| step.tests.len()).sum();
    let solution = lab.solution()?;
    let count = |folder: &str| anyhow::Ok(Patch::load_all(&solution.join(folder))?.len());
    let mutants = Found::load(lab)?.map_or("not asked yet".into(), |Found { caught, equal, .. }| {
        format!("{caught} of {}", caught + equal.len())
    });
    let (mistakes, variants) = (count("mistakes")?, count("variants")?);
    Ok(format!("| {} | {tests} | {mistakes} | {variants} | {mutants} |\n", lab.short()))
}

/// The README's figures are these.
pub fn readme(course: &Course) -> anyhow::Result<()> {
    let text = fs::read_to_string(course.root.join("README.md"))?;
    for lab in &course.labs {
        let line = figures(lab)?;
        ensure!(text.contains(&line), "its table of figures must say: {}", line.trim_end());
    }
    if let Some(flakes) = Flakes::load(&course.root)? {
        let line = flakes.in_short();
        ensure!(text.contains(&line), "it must say: {line}");
    }
    Ok(())
}

fn hostile(text: &mut String, root: &Path) -> anyhow::Result<()> {
    let path = root.join(CASES);
    let cases: Cases =
        toml::from_str(&fs::read_to_string(&path).with_context(|| CASES)?).with_context(|| CASES)?;
    let _ = write!(
        text,
        "\n## Code that means harm, or has bad luck\n\n\
         {} cases, each held by a test of the grader's own. An outcome is that of the test, or of the whole check.\n\n\
         | a submission | outcome | says |\n| --- | --- | --- |\n",
        cases.case.len()
    );
    for Case { does, outcome, says, on } in cases.case {
        let on = on.map_or(String::new(), |on| format!(" (on {on})"));
        let says = says.map_or(String::new(), |says| format!("… {says} …"));
        let _ = writeln!(text, "| {does}{on} | {} | {says} |", outcome.replace('_', " "));
    }
    Ok(())
}

fn flakes(text: &mut String, root: &Path) -> anyhow::Result<()> {
    *text += "\n## Right code, many times over\n\n";
    let Some(flakes) = Flakes::load(root)? else {
        *text += "Not measured yet: `cargo xtask verify --flake 20 --write`\n";
        return Ok(());
    };
    *text += "Every solution and every variant, half of the runs with all cores busy (`cargo xtask verify --flake N --write`).\n\n";
    let _ = write!(text, "{flakes}");
    Ok(())
}

fn mutants(text: &mut String, course: &Course) -> anyhow::Result<()> {
    let mut lines = String::new();
    let mut reasons = String::new();
    for lab in &course.labs {
        let Some(Found { caught, given, equal }) = Found::load(lab)? else { continue };
        let (equals, all) = (equal.len(), caught + given + equal.len());
        let _ = writeln!(lines, "| {} | {all} | {caught} | {equals} | {given} |", lab.short());
        for Equal { mutant, why } in equal {
            // Its name may have a line of code in it, in backticks.
            let _ = writeln!(reasons, "- {}, `` {mutant} ``: {why}", lab.short());
        }
    }
    if !lines.is_empty() {
        *text += "\n## An outside judge\n\n\
                  `cargo mutants` changes a solution in every way that it knows (`cargo xtask mutants`). A change of \
                  what a learner writes is\ncaught by the suite, or it changes nothing that the contract speaks of, for \
                  the reason below. What the stub gives is no\nlearner's work; changes of it that no test notices are counted apart.\n\n\
                  | lab | mutants | caught | equal | in given code |\n| --- | --- | --- | --- | --- |\n";
        *text += &lines;
        if !reasons.is_empty() {
            *text += "\nEqual are:\n\n";
            *text += &reasons;
        }
    }
    Ok(())
}
