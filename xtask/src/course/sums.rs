//! Knows whether a lab's suite is as its author left it, and gets it back from git's history.
//!
//! `suite.sums` beside a lab names every file that decides a verdict, and the stub, each with its git blob id. The
//! id says whether a file was changed, and it is also all that git needs to find the original, whatever was
//! committed since.

use super::{
    Lab, mistakes, places,
    sources::{BUILD, is_learners},
};
use crate::files;
use anyhow::Context as _;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The file beside a lab.
pub const FILE: &str = "suite.sums";

/// The path of each file of the suite, from the lab's folder, with its blob id.
pub type Sums = BTreeMap<String, String>;

/// The id that git gives to a file of this content.
pub fn blob_id(content: &[u8]) -> String {
    let mut sha1 = sha1_smol::Sha1::new();
    sha1.update(format!("blob {}\0", content.len()).as_bytes());
    sha1.update(content);
    sha1.digest().to_string()
}

/// The files that decide a verdict, as they are now.
pub fn of_files(dir: &Path) -> anyhow::Result<Sums> {
    let mut paths = files::walk(&dir.join("tests"))?;
    paths.extend(
        ["lab.toml", mistakes::FILE, places::FILE, BUILD]
            .map(|name| dir.join(name))
            .into_iter()
            .filter(|path| path.exists()),
    );
    let entry = |path: &PathBuf| {
        let content = fs::read(path).with_context(|| path.display().to_string())?;
        Ok((files::name_in(dir, path)?, blob_id(&content)))
    };
    paths.iter().map(entry).collect()
}

/// The text of `suite.sums`.
pub fn to_text(sums: &Sums) -> String {
    let head = "# The files that decide a verdict, and the stub, each with its git blob id. Written by `cargo xtask stubs`.\n";
    let lines = sums.iter().map(|(name, id)| format!("{id} {name}\n"));
    std::iter::once(head.to_owned()).chain(lines).collect()
}

/// Every line of `suite.sums`. `None` when it is gone or unreadable.
fn all_recorded(lab: &Lab) -> Option<Sums> {
    let text = fs::read_to_string(lab.dir.join(FILE)).ok()?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| line.split_once(' ').map(|(id, name)| (name.to_owned(), id.to_owned()));
    // A list that was emptied would find every suite in order.
    lines.map(entry).collect::<Option<Sums>>().filter(|sums| sums.contains_key("lab.toml"))
}

/// The suite as the author left it. `None` when `suite.sums` is gone or unreadable.
pub fn recorded(lab: &Lab) -> Option<Sums> {
    all_recorded(lab).map(|sums| sums.into_iter().filter(|(name, _)| !is_learners(name)).collect())
}

/// The stub as the author left it: what a learner is here to change. It is recorded too, so that `reset` finds it
/// where the solutions, from which it could be made anew, are withheld.
pub fn recorded_stub(lab: &Lab) -> Option<Sums> {
    all_recorded(lab).map(|sums| sums.into_iter().filter(|(name, _)| is_learners(name)).collect())
}

/// The files of the suite that are not as the author left them. A file that a learner added beside them is
/// none of these: tests of one's own are welcome, and decide nothing.
pub fn changed(lab: &Lab) -> anyhow::Result<Vec<String>> {
    let Some(recorded) = recorded(lab) else { return Ok(vec![FILE.to_owned()]) };
    let now = of_files(&lab.dir)?;
    Ok(recorded.into_iter().filter(|(name, id)| now.get(name) != Some(id)).map(|(name, _)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_one_that_git_gives() {
        // printf 'hello\n' | git hash-object --stdin
        assert_eq!(blob_id(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
    }

    #[test]
    fn a_change_and_a_loss_are_seen_and_an_addition_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let lab = Lab {
            number: "01".into(),
            name: "lab-01-x".into(),
            dir: dir.path().into(),
            solution: dir.path().into(),
        };
        fs::create_dir(dir.path().join("tests")).unwrap();
        for name in ["lab.toml", "tests/a.rs", "tests/b.rs", BUILD] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        assert_eq!(changed(&lab).unwrap(), [FILE]);

        fs::write(dir.path().join(FILE), to_text(&of_files(dir.path()).unwrap())).unwrap();
        assert!(changed(&lab).unwrap().is_empty());

        fs::write(dir.path().join("lab.toml"), "other").unwrap();
        fs::remove_file(dir.path().join("tests/a.rs")).unwrap();
        fs::write(dir.path().join("tests/c.rs"), "new").unwrap();
        fs::write(dir.path().join(BUILD), "other").unwrap();
        assert_eq!(changed(&lab).unwrap(), [BUILD, "lab.toml", "tests/a.rs"]);
    }
}
