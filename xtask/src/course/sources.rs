//! An author's files, and what they are split into: the stub and the solution.

use super::{
    Lab,
    markers::{self, Language, Split},
};
use crate::files::{self, Files};
use anyhow::Context as _;
use std::path::Path;

/// The file that compiles a lab's own contracts.
pub const BUILD: &str = "build.rs";

/// What a lab's solution is split into: the sources, contracts, `Cargo.toml` and `build.rs` of both packages.
#[derive(Debug)]
pub struct Sources {
    /// What the learner gets, under the lab's names.
    pub stub: Files,
    /// What the learner would have written, under the lab's names, without markers.
    pub solution: Files,
}

/// Reads a solution's sources with their markers, as the author wrote them: the code, the contracts of a lab that
/// has its own, and what cargo needs to build both.
pub fn author_files(solution: &Path) -> anyhow::Result<Files> {
    let mut paths = files::walk(&solution.join("src"))?;
    paths.extend(files::walk(&solution.join("proto"))?);
    paths.push(solution.join("Cargo.toml"));
    paths.extend([solution.join(BUILD)].into_iter().filter(|path| path.exists()));
    paths.iter().map(|path| files::read_one(solution, path)).collect()
}

/// Whether a file of a lab is the learner's to change. Everything else in the lab's folder is the grader's: also
/// `build.rs`, which compiles the lab's contracts.
pub fn is_learners(name: &str) -> bool {
    name.starts_with("src/") || name.starts_with("proto/") || name == "Cargo.toml"
}

/// Splits author's files into the learner's two versions.
pub fn of(files: &Files) -> anyhow::Result<Sources> {
    let mut sources = Sources { stub: Files::new(), solution: Files::new() };
    for (name, text) in files {
        // The library of the solution has a name of its own, because two of one name cannot be documented.
        let text = text.replace("solution-", "lab-").replace("solution_", "lab_");
        let split = match Language::of(name) {
            Some(language) => markers::split(&text, language).with_context(|| name.clone())?,
            None => Split { stub: text.clone(), solution: text },
        };
        sources.stub.insert(name.clone(), split.stub);
        sources.solution.insert(name.clone(), split.solution);
    }
    Ok(sources)
}

/// The sources of a lab's solution.
pub fn of_lab(lab: &Lab) -> anyhow::Result<Sources> {
    of(&author_files(lab.solution()?)?).with_context(|| format!("the solution of {}", lab.short()))
}
