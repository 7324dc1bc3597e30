//! The kill matrix of a lab: which test catches which mistake. `verify` has just proven it, and `verify --write` puts it
//! beside the walkthrough, for authors and for whoever wants to know what a suite is worth.

use crate::patch::Patch;
use anyhow::ensure;
use std::{fmt::Write as _, fs};
use xtask::course::{Lab, manifest::Manifest};

/// The file beside the walkthrough.
pub const FILE: &str = "kills.md";

/// Compares the file with what the mistakes say now, or writes it.
pub fn prove(lab: &Lab, write: bool) -> anyhow::Result<()> {
    let text = text(lab)?;
    let path = lab.dir.join(FILE);
    if write {
        fs::write(&path, &text)?;
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    ensure!(
        there == text,
        "{} is stale. Write it anew: cargo xtask verify {} --write",
        lab.shown(FILE),
        lab.short()
    );
    Ok(())
}

fn text(lab: &Lab) -> anyhow::Result<String> {
    let manifest = lab.manifest()?;
    let mistakes = Patch::load_all(&lab.solution()?.join("mistakes"))?;
    Ok(draw(lab.short(), &manifest, &mistakes))
}

/// A table with a line for each test. A full matrix of sixty by sixty can be read by nobody.
fn draw(lab: &str, manifest: &Manifest, mistakes: &[Patch]) -> String {
    let tests: usize = manifest.steps.iter().map(|step| step.tests.len()).sum();
    let kills: usize = mistakes.iter().map(|mistake| mistake.fails.len()).sum();
    let mut text = format!(
        "# {lab}: what catches what\n\n\
         {} mistakes, {tests} tests, {kills} catches. Each mistake is a wrong solution that somebody may well write; \
         `cargo xtask verify` has\nrun each test on each of them. A name in brackets: a race decides whether that test \
         catches it. Written by\n`cargo xtask verify --write`. It tells how the lab can go wrong, so do the lab first.\n",
        mistakes.len()
    );
    for (number, step) in manifest.numbered() {
        let _ = write!(text, "\n## {number} {}\n\n| test | catches |\n| --- | --- |\n", step.title);
        for test in &step.tests {
            let caught = mistakes.iter().filter(|mistake| mistake.fails.contains(test));
            let at_times = mistakes.iter().filter(|mistake| mistake.may_fail.contains(test));
            let names = caught.map(|mistake| mistake.name.clone());
            let names: Vec<_> = names.chain(at_times.map(|mistake| format!("({})", mistake.name))).collect();
            let _ = writeln!(text, "| `{test}` | {} |", names.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_stands_with_what_it_catches() {
        let manifest: Manifest = toml::from_str(
            "title = \"T\"\nsummary = \"s\"\nminutes = 1\nlearnt = \"l\"\n[[step]]\ntitle = \"One\"\nsection = \"a\"\n\
             points = 100\ntests = [\"a::b\", \"a::c\"]\nhints = []\n",
        )
        .unwrap();
        let mistake = |name: &str, fails: &[&str], may_fail: &[&str]| {
            let set = |tests: &[&str]| format!("{tests:?}");
            let text = format!("says = \"s\"\nfails = {}\nmay_fail = {}\n---\n", set(fails), set(may_fail));
            Patch::parse(name, &text).unwrap()
        };
        let mistakes = [mistake("m", &["a::b", "a::c"], &[]), mistake("n", &["a::c"], &["a::b"])];
        let text = draw("lab-00", &manifest, &mistakes);
        assert!(text.contains("2 mistakes, 2 tests, 3 catches"), "{text}");
        assert!(text.ends_with("| `a::b` | m, (n) |\n| `a::c` | m, n |\n"), "{text}");
    }
}
