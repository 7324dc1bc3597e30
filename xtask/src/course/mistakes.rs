//! Named mistakes: which tests each one fails, and which of them a learner's failures look like.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fs, path::Path};

/// The file beside a lab that a check reads. `cargo xtask stubs` writes it from the headers of the patches.
pub const FILE: &str = "mistakes.toml";

/// What a verdict knows of a plausible wrong solution.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    pub name: String,
    /// What is wrong and why it hurts. Completes "This pattern usually means:".
    pub says: String,
    /// The tests that it always fails.
    pub fails: BTreeSet<String>,
    /// Those that it fails at times.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub may_fail: BTreeSet<String>,
}

/// More explanations than this would be a guess.
const MOST_EXPLANATIONS: usize = 3;

#[derive(Default, Deserialize, Serialize)]
struct Mistakes {
    #[serde(rename = "mistake", default)]
    mistakes: Vec<Mistake>,
}

/// The text of the file.
pub fn to_text(mistakes: Vec<Mistake>) -> anyhow::Result<String> {
    let head = "# What a check knows of wrong solutions. Written by `cargo xtask stubs`.\n\n";
    Ok(format!("{head}{}", toml::to_string(&Mistakes { mistakes })?))
}

/// The mistakes that a lab's own folder knows: what a check reads.
pub fn load(lab_dir: &Path) -> anyhow::Result<Vec<Mistake>> {
    let path = lab_dir.join(FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mistakes: Mistakes = toml::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(mistakes.mistakes)
}

/// The mistakes that explain what was seen, the best first.
///
/// A mistake explains failures when none of the tests that it fails has `passed`, and it is among the best
/// when no other explains more of the `failed` ones. A learner has often made two mistakes, and tests of steps
/// not written yet have neither passed nor failed: so a subset is enough.
pub fn explain<'a>(
    known: &'a [Mistake],
    failed: &BTreeSet<&str>,
    passed: &BTreeSet<&str>,
) -> Vec<&'a Mistake> {
    let explained = |mistake: &Mistake| {
        let named = mistake.fails.iter().chain(&mistake.may_fail);
        named.filter(|test| failed.contains(test.as_str())).count()
    };
    let unexplained =
        |mistake: &Mistake| mistake.fails.iter().filter(|test| !failed.contains(test.as_str())).count();
    let contradicted = |mistake: &Mistake| mistake.fails.iter().any(|test| passed.contains(test.as_str()));

    let mut candidates: Vec<_> =
        known.iter().filter(|mistake| explained(mistake) > 0 && !contradicted(mistake)).collect();
    let Some(most) = candidates.iter().map(|mistake| explained(mistake)).max() else { return Vec::new() };
    candidates.retain(|mistake| explained(mistake) == most);
    candidates.sort_by_key(|mistake| unexplained(mistake));
    candidates.truncate(MOST_EXPLANATIONS);
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(name: &str, fails: &[&str], may_fail: &[&str]) -> Mistake {
        let set = |tests: &[&str]| tests.iter().map(|test| (*test).to_owned()).collect();
        Mistake { name: name.into(), says: String::new(), fails: set(fails), may_fail: set(may_fail) }
    }

    fn named(failed: &[&str], passed: &[&str]) -> Vec<String> {
        let known = [
            mistake("one", &["a"], &[]),
            mistake("two", &["a", "b"], &[]),
            mistake("other", &["b", "c"], &[]),
            mistake("race", &["r"], &["s"]),
        ];
        let explained = explain(&known, &failed.iter().copied().collect(), &passed.iter().copied().collect());
        explained.iter().map(|mistake| mistake.name.clone()).collect()
    }

    #[test]
    fn what_a_mistake_fails_only_at_times_neither_clears_nor_hides_it() {
        assert_eq!(named(&["r"], &["s"]), ["race"]);
        assert_eq!(named(&["r", "s"], &["a"]), ["race"]);
        assert!(named(&["s"], &["r"]).is_empty());
    }

    #[test]
    fn the_mistake_that_fails_just_these_tests_is_named() {
        assert_eq!(named(&["a"], &["b", "c"]), ["one"]);
        assert_eq!(named(&["a", "b"], &["c"]), ["two"]);
        assert_eq!(named(&["b", "c"], &["a"]), ["other"]);
    }

    #[test]
    fn a_test_that_passed_clears_a_mistake() {
        assert!(named(&["c"], &["a", "b"]).is_empty());
    }

    #[test]
    fn tests_not_written_yet_neither_clear_nor_accuse() {
        assert_eq!(named(&["a"], &[]), ["one", "two"]);
    }

    #[test]
    fn more_failures_than_one_mistake_explains_still_name_it() {
        assert_eq!(named(&["a", "b", "x"], &["c"]), ["two"]);
    }

    #[test]
    fn the_file_reads_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mistakes = [mistake("m", &["watch::ends"], &[]), mistake("n", &["a", "b"], &["c"])];
        fs::write(dir.path().join(FILE), to_text(mistakes.to_vec()).unwrap()).unwrap();
        assert_eq!(load(dir.path()).unwrap(), mistakes);
    }
}
