//! The patches that an author keeps beside a solution: mistakes, which a suite must catch, and variants, which
//! it must let pass.

use anyhow::{Context as _, anyhow, bail};
use diffy::patch_set::{FileOperation, ParseOptions, PatchSet};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use xtask::{
    course::mistakes::Mistake,
    files::{self, Files},
};

/// A patch against a solution with its markers: a header in TOML, a line `---`, a unified diff.
#[derive(Debug)]
pub struct Patch {
    /// The file's name without `.patch`.
    pub name: String,
    pub says: String,
    /// Empty for a variant: it fails nothing.
    pub fails: BTreeSet<String>,
    /// Tests that it fails at times: what it does wrong depends on how its threads are scheduled.
    pub may_fail: BTreeSet<String>,
    diff: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    says: String,
    #[serde(default)]
    fails: BTreeSet<String>,
    #[serde(default)]
    may_fail: BTreeSet<String>,
}

impl Patch {
    /// The patches in a folder, in the order of their names.
    pub fn load_all(dir: &Path) -> anyhow::Result<Vec<Self>> {
        let mut paths = files::walk(dir)?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
        paths.iter().map(Self::load).collect()
    }

    fn load(path: &PathBuf) -> anyhow::Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let read = || Self::parse(&name, &fs::read_to_string(path)?);
        read().with_context(|| path.display().to_string())
    }

    pub fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        let (header, diff) =
            text.split_once("\n---\n").ok_or_else(|| anyhow!("no line `---` after the header"))?;
        let header: Header = toml::from_str(header)?;
        let says = header.says.trim().to_owned();
        let Header { fails, may_fail, .. } = header;
        Ok(Self { name: name.to_owned(), says, fails, may_fail, diff: diff.to_owned() })
    }

    /// The author's files with this patch on them.
    ///
    /// # Errors
    /// When it does not fit: the solution has changed under it.
    pub fn apply(&self, author: &Files) -> anyhow::Result<Files> {
        let mut files = author.clone();
        for part in PatchSet::parse(&self.diff, ParseOptions::unidiff()) {
            let part = part.context("the diff cannot be read")?;
            let name = match part.operation().strip_prefix(1) {
                FileOperation::Create(name) | FileOperation::Modify { modified: name, .. } => {
                    name.into_owned()
                }
                other => bail!("{other:?}: a patch can change files and add some, no more"),
            };
            let diff = part.patch().as_text().context("the diff is binary")?;
            let original = files.get(&name).map_or("", String::as_str);
            let text = diffy::apply(original, diff)
                .with_context(|| format!("does not fit {name}; has the solution changed under it?"))?;
            files.insert(name, text);
        }
        Ok(files)
    }
}

impl From<&Patch> for Mistake {
    fn from(patch: &Patch) -> Self {
        Self {
            name: patch.name.clone(),
            says: patch.says.clone(),
            fails: patch.fails.clone(),
            may_fail: patch.may_fail.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"says = "Why."
fails = ["a::b"]
---
diff --git a/src/a.rs b/src/a.rs
--- a/src/a.rs
+++ b/src/a.rs
@@ -1,2 +1,2 @@
 one
-two
+three
diff --git a/src/b.rs b/src/b.rs
new file mode 100644
--- /dev/null
+++ b/src/b.rs
@@ -0,0 +1 @@
+new
"#;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_patch_changes_files_and_adds_some() {
        let patch = Patch::parse("name", TEXT).unwrap();
        assert_eq!((patch.says.as_str(), patch.fails.first().unwrap().as_str()), ("Why.", "a::b"));
        let patched = patch.apply(&files(&[("src/a.rs", "one\ntwo\n"), ("src/c.rs", "c\n")])).unwrap();
        assert_eq!(
            patched,
            files(&[("src/a.rs", "one\nthree\n"), ("src/b.rs", "new\n"), ("src/c.rs", "c\n")])
        );
    }

    #[test]
    fn a_patch_that_does_not_fit_says_so() {
        let patch = Patch::parse("name", TEXT).unwrap();
        let error = patch.apply(&files(&[("src/a.rs", "something else\n")])).unwrap_err();
        assert!(error.to_string().contains("has the solution changed"), "{error}");
        assert!(Patch::parse("name", "says = \"x\"\n").is_err(), "no diff");
        assert!(Patch::parse("name", "\n---\n").is_err(), "no header");
    }
}
