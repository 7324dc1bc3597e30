//! Knows whether a lab's suite is as its author left it, and gets it back from git's history.
//!
//! `suite.sums` beside a lab names every file that decides a verdict with its git blob id. The id says whether
//! a file was changed, and it is also all that git needs to find the original, whatever was committed since.

use crate::course::Lab;
use anyhow::Context as _;
use std::{
    collections::BTreeMap,
    fs, io,
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
    let mut files = Vec::new();
    walk(&dir.join("tests"), &mut files)?;
    files.extend(
        ["lab.toml", "mistakes.toml"].map(|name| dir.join(name)).into_iter().filter(|path| path.exists()),
    );
    let entry = |path: &PathBuf| {
        let content = fs::read(path).with_context(|| path.display().to_string())?;
        let name = path.strip_prefix(dir)?.to_string_lossy().replace('\\', "/");
        Ok((name, blob_id(&content)))
    };
    files.iter().map(entry).collect()
}

/// Every file below a folder. No folder, no files. What begins with a dot belongs to an editor or the system,
/// such as `.lib.rs.swp` and `.DS_Store`, and is no part of a lab.
pub fn walk(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| dir.display().to_string()),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.retain(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")));
    for path in paths {
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The text of `suite.sums`.
pub fn to_text(sums: &Sums) -> String {
    let head =
        "# The files that decide a verdict, each with its git blob id. Written by `cargo xtask stubs`.\n";
    let lines = sums.iter().map(|(name, id)| format!("{id} {name}\n"));
    std::iter::once(head.to_owned()).chain(lines).collect()
}

/// What the author left. `None` when `suite.sums` is gone or unreadable.
pub fn recorded(lab: &Lab) -> Option<Sums> {
    let text = fs::read_to_string(lab.dir.join(FILE)).ok()?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| line.split_once(' ').map(|(id, name)| (name.to_owned(), id.to_owned()));
    // A list that was emptied would find every suite in order.
    lines.map(entry).collect::<Option<Sums>>().filter(|sums| sums.contains_key("lab.toml"))
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
        for name in ["lab.toml", "tests/a.rs", "tests/b.rs"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        assert_eq!(changed(&lab).unwrap(), [FILE]);

        fs::write(dir.path().join(FILE), to_text(&of_files(dir.path()).unwrap())).unwrap();
        assert!(changed(&lab).unwrap().is_empty());

        fs::write(dir.path().join("lab.toml"), "other").unwrap();
        fs::remove_file(dir.path().join("tests/a.rs")).unwrap();
        fs::write(dir.path().join("tests/c.rs"), "new").unwrap();
        assert_eq!(changed(&lab).unwrap(), ["lab.toml", "tests/a.rs"]);
    }
}
