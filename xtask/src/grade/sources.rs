//! Whose code goes into a build: the lab's own and the course's, and nothing that would make a verdict mean nothing.
//!
//! This finds what somebody does for convenience, such as an `include!` of the solution while comparing. Who wants to
//! hide where code came from copies it.

use crate::{
    course::{Lab, sources::BUILD, sums},
    verdict::Problem,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A library of a build that came from a folder and not from a registry.
#[derive(Debug)]
pub struct Library {
    pub name: String,
    /// Its first file.
    pub source: PathBuf,
    /// What the compiler made of it.
    pub made: Vec<PathBuf>,
}

/// Why a lab is not built at all: it has a build script that is not its author's. It would run before every test,
/// without their limits, and could change them.
pub fn stranger(lab: &Lab) -> Option<Problem> {
    let manifest = fs::read_to_string(lab.dir.join("Cargo.toml")).unwrap_or_default();
    // Of one that makes no sense cargo has more to say.
    let manifest: toml::Table = toml::from_str(&manifest).ok()?;
    let named = manifest.get("package").and_then(|package| package.get("build"));
    let is_of_author = || sums::recorded(lab).is_some_and(|sums| sums.contains_key(BUILD));
    let script = match named {
        Some(toml::Value::Boolean(false)) => None,
        None | Some(toml::Value::Boolean(true)) => lab.dir.join(BUILD).exists().then(|| BUILD.to_owned()),
        Some(toml::Value::String(file)) => Some(file.clone()),
        Some(other) => Some(other.to_string()),
    };
    let script = script.filter(|script| script != BUILD || !is_of_author())?;
    Some(Problem::new(
        "the lab has a build script that is not its author's. It would run before the tests, so nothing was graded",
        vec![lab.shown(&script)],
        format!("Remove it, and `build` from {}. Write what it makes into src.", lab.shown("Cargo.toml")),
    ))
}

/// Why a build is not graded, if it is not.
pub fn refusal(root: &Path, lab: &Lab, libraries: &[Library]) -> Option<Problem> {
    let root = fs::canonicalize(root).ok()?;
    // verify leaves solutions below the target folder.
    let withheld = ["solutions", "target/scratch"].map(|folder| root.join(folder));
    let mut taken: Vec<String> = libraries
        .iter()
        .flat_map(|library| files_of(&root, library))
        .filter_map(|file| fs::canonicalize(file).ok())
        .filter(|file| withheld.iter().any(|folder| file.starts_with(folder)))
        .map(|file| file.strip_prefix(&root).unwrap_or(&file).display().to_string())
        .collect();
    taken.sort();
    taken.dedup();
    if !taken.is_empty() {
        return Some(Problem::new(
            "the lab's code takes in files of a solution, so nothing was graded",
            taken,
            format!(
                "Remove what names them, in src or in {}. To read a solution: cargo xtask compare {} --spoil",
                lab.shown("Cargo.toml"),
                lab.short()
            ),
        ));
    }
    let testkit = testkit(&root)?;
    let is_there =
        libraries.iter().any(|library| fs::canonicalize(&library.source).ok().as_ref() == Some(&testkit));
    let others = libraries.iter().filter(|library| library.name == "testkit");
    (!is_there).then(|| {
        Problem::new(
            "the suite was not built with the course's testkit, so a verdict would mean nothing",
            others.map(|other| other.source.display().to_string()).collect(),
            format!("Say `testkit.workspace = true` under [dev-dependencies] in {}", lab.shown("Cargo.toml")),
        )
    })
}

/// A `[[test]]` in the lab's `Cargo.toml` can name any file.
pub fn another_suite(lab: &Lab, source: &Path) -> Problem {
    Problem::new(
        "the lab's Cargo.toml names another file as its suite, so a verdict would mean nothing",
        vec![source.display().to_string()],
        format!("Remove the [[test]] that names it from {}", lab.shown("Cargo.toml")),
    )
}

/// `autotests = false` in the lab's `Cargo.toml`.
pub fn no_suite(lab: &Lab) -> Problem {
    Problem::new(
        "the lab as its Cargo.toml describes it has no suite, so there is nothing to grade",
        Vec::new(),
        format!("Remove `autotests` from {}", lab.shown("Cargo.toml")),
    )
}

pub fn no_package(lab: &Lab) -> Problem {
    let next = format!("Put it back (your work is kept): cargo xtask reset {}", lab.short());
    Problem::new("the lab has no Cargo.toml, so cargo does not know it", Vec::new(), next)
}

/// Where the testkit of a course begins.
fn testkit(root: &Path) -> Option<PathBuf> {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(root.join("Cargo.toml")).ok()?).ok()?;
    let path = manifest.get("workspace")?.get("dependencies")?.get("testkit")?.get("path")?.as_str()?;
    fs::canonicalize(root.join(path).join("src/lib.rs")).ok()
}

/// Every file that the compiler read for a library. It writes them down beside what it makes, for cargo to know when to
/// compile again.
fn files_of(root: &Path, library: &Library) -> Vec<PathBuf> {
    let list = library.made.iter().filter(|made| made.extension().is_some_and(|kind| kind == "rmeta"));
    let list = list.filter_map(|made| {
        let name = made.file_stem()?.to_str()?;
        Some(made.with_file_name(format!("{}.d", name.strip_prefix("lib").unwrap_or(name))))
    });
    let texts = list.filter_map(|path| fs::read_to_string(path).ok());
    let files = texts.flat_map(|text| read_files(&text).map(|file| root.join(file)).collect::<Vec<_>>());
    files.chain([library.source.clone()]).collect()
}

/// The files of a list in make's language: each stands there once more by itself, as a target.
fn read_files(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.strip_suffix(':')).map(|file| file.replace("\\ ", " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_list_are_found() {
        let text = "/t/deps/lib x.rmeta: labs/a/src/lib.rs /with\\ space/b.rs\n\n/t/x.d: labs/a/src/lib.rs\n\n\
                    labs/a/src/lib.rs:\n/with\\ space/b.rs:\n\n# env-dep:A=b:\n";
        assert_eq!(read_files(text).collect::<Vec<_>>(), ["labs/a/src/lib.rs", "/with space/b.rs"]);
    }
}
