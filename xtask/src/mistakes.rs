//! Named mistakes: which tests each one fails, and which of them a learner's failures look like.

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The file beside a lab that a check reads. `cargo xtask stubs` writes it from the headers of the patches.
pub const FILE: &str = "mistakes.toml";

/// What a verdict knows of a plausible wrong solution.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    pub name: String,
    /// What is wrong and why it hurts. Completes "This pattern usually means:".
    pub says: String,
    /// Exactly the tests that it fails.
    pub fails: BTreeSet<String>,
}

/// More explanations than this would be a guess.
const MOST_EXPLANATIONS: usize = 3;

#[derive(Default, Deserialize, Serialize)]
struct Mistakes {
    #[serde(rename = "mistake", default)]
    mistakes: Vec<Mistake>,
}

/// A patch against a solution: a header in TOML, a line `---`, a unified diff.
#[derive(Debug)]
pub struct Patch {
    /// The file's name without `.patch`.
    pub name: String,
    pub says: String,
    /// Empty for a variant: it fails nothing.
    pub fails: BTreeSet<String>,
    pub diff: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    says: String,
    #[serde(default)]
    fails: BTreeSet<String>,
}

impl Patch {
    /// The patches in a folder, in the order of their names.
    pub fn load_all(dir: &Path) -> anyhow::Result<Vec<Self>> {
        let mut paths = Vec::new();
        crate::sums::walk(dir, &mut paths)?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
        paths.iter().map(Self::load).collect()
    }

    fn load(path: &PathBuf) -> anyhow::Result<Self> {
        let read = || {
            let text = fs::read_to_string(path)?;
            let (header, diff) =
                text.split_once("\n---\n").ok_or_else(|| anyhow!("no line `---` after the header"))?;
            let header: Header = toml::from_str(header)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Self { name, says: header.says, fails: header.fails, diff: diff.to_owned() })
        };
        read().map_err(|error: anyhow::Error| error.context(path.display().to_string()))
    }
}

impl From<&Patch> for Mistake {
    fn from(patch: &Patch) -> Self {
        Self { name: patch.name.clone(), says: patch.says.trim().to_owned(), fails: patch.fails.clone() }
    }
}

/// The text of `mistakes.toml`.
pub fn to_text(patches: &[Patch]) -> anyhow::Result<String> {
    let mistakes = Mistakes { mistakes: patches.iter().map(Mistake::from).collect() };
    let head = "# What a check knows of wrong solutions. Written by `cargo xtask stubs`.\n\n";
    Ok(format!("{head}{}", toml::to_string(&mistakes)?))
}

/// The mistakes that a lab knows.
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
    let explained =
        |mistake: &Mistake| mistake.fails.iter().filter(|test| failed.contains(test.as_str())).count();
    let unexplained = |mistake: &Mistake| mistake.fails.len() - explained(mistake);
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

    fn mistake(name: &str, fails: &[&str]) -> Mistake {
        let fails = fails.iter().map(|test| (*test).to_owned()).collect();
        Mistake { name: name.into(), says: String::new(), fails }
    }

    fn named(failed: &[&str], passed: &[&str]) -> Vec<String> {
        let known = [mistake("one", &["a"]), mistake("two", &["a", "b"]), mistake("other", &["b", "c"])];
        let explained = explain(&known, &failed.iter().copied().collect(), &passed.iter().copied().collect());
        explained.iter().map(|mistake| mistake.name.clone()).collect()
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
        let fails = BTreeSet::from(["watch::ends".to_owned()]);
        let patch =
            Patch { name: "m".into(), says: " Why. ".into(), fails: fails.clone(), diff: String::new() };
        fs::write(dir.path().join(FILE), to_text(&[patch]).unwrap()).unwrap();
        assert_eq!(load(dir.path()).unwrap(), [Mistake { name: "m".into(), says: "Why.".into(), fails }]);
    }
}
