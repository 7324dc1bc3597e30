//! Workspaces in the target folder: where patched solutions and finished labs are built, so that verify never
//! touches, and never depends on, what a learner has in `labs/`.

use crate::files::{self, Files};
use anyhow::Context as _;
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

/// A workspace with the course's dependencies and profiles and with packages of its own.
#[derive(Debug)]
pub struct Scratch {
    /// Its folder.
    pub root: PathBuf,
    packages: BTreeSet<PathBuf>,
    /// The packages that are compiled once and never again.
    compiled_once: BTreeSet<String>,
    /// Its name as a part of a version: letters, digits and hyphens.
    label: String,
}

impl Scratch {
    /// Begins a workspace. What an earlier one of that name has built stays usable.
    pub fn begin(course: &Path, name: &str) -> Self {
        let label = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        Self {
            root: course.join("target/scratch").join(name),
            packages: BTreeSet::new(),
            compiled_once: BTreeSet::new(),
            label,
        }
    }

    /// Adds a package, `folder` being its path from the workspace's root.
    pub fn package(&mut self, folder: &str, files: &Files) -> anyhow::Result<()> {
        let dir = self.root.join(folder);
        remove_others(&dir, files)?;
        files::write(&dir, files)?;
        self.packages.insert(folder.into());
        Ok(())
    }

    /// Says that a package is compiled once: nothing is kept to compile it again more quickly, and nobody debugs it.
    /// That takes two thirds of the time.
    pub fn compile_once(&mut self, package: &str) {
        self.compiled_once.insert(package.to_owned());
    }

    /// Writes the workspace's own manifest, with the same libraries in the same versions as the course.
    pub fn finish(&self, course: &Path) -> anyhow::Result<()> {
        let text = fs::read_to_string(course.join("Cargo.toml"))?;
        let mut manifest: toml::Table = toml::from_str(&text).context("the course's Cargo.toml")?;
        let workspace = table(&mut manifest, "workspace")?;
        workspace.remove("default-members");
        let members = self.packages.iter().map(|package| package.display().to_string().into());
        workspace.insert("members".into(), toml::Value::Array(members.collect()));
        if let Some(toml::Value::String(version)) = table(workspace, "package")?.get_mut("version") {
            *version = labelled(version, &self.label);
        }
        for dependency in
            table(workspace, "dependencies")?.iter_mut().filter_map(|(_, value)| value.as_table_mut())
        {
            if let Some(toml::Value::String(path)) = dependency.get_mut("path") {
                *path = course.join(&*path).display().to_string();
            }
        }
        let profile = table(table(table(&mut manifest, "profile")?, "dev")?, "package")?;
        for package in &self.compiled_once {
            let once = toml::toml! { debug = false incremental = false codegen-units = 1 };
            profile.insert(package.clone(), once.into());
        }
        let mut files = Files::from([("Cargo.toml".to_owned(), toml::to_string(&manifest)?)]);
        let lock = self.root.join("Cargo.lock");
        if !lock.exists() || newer(&course.join("Cargo.lock"), &lock) {
            files.insert("Cargo.lock".into(), fs::read_to_string(course.join("Cargo.lock"))?);
        }
        files::write(&self.root, &files)
    }
}

/// The folder that every build of a course shares, so that a library is compiled once for all of them.
pub fn target_dir(course: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| course.join("target"), PathBuf::from)
}

/// A version that only packages of one scratch workspace have: `0.1.0+finished`, or `0.1.0+finished.lab-01` for
/// one within another. To cargo, two packages are the same one when their names, their versions and their places
/// within their workspaces are. In one target folder it would take the solution's library for the learner's.
fn labelled(version: &str, label: &str) -> String {
    let separator = if version.contains('+') { '.' } else { '+' };
    format!("{version}{separator}{label}")
}

fn table<'a>(table: &'a mut toml::Table, key: &str) -> anyhow::Result<&'a mut toml::Table> {
    table
        .get_mut(key)
        .and_then(toml::Value::as_table_mut)
        .with_context(|| format!("no table {key:?} in Cargo.toml"))
}

fn newer(a: &Path, b: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    modified(a) > modified(b)
}

/// Removes the sources that an earlier package at this place had and this one has not.
fn remove_others(dir: &Path, files: &Files) -> anyhow::Result<()> {
    for path in files::walk(dir)? {
        let name = files::name_in(dir, &path)?;
        if !files.contains_key(&name) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
