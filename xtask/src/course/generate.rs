//! What an author's files make: everything in a lab's folder that nobody edits by hand.

use super::{
    Lab,
    markers::{self, Language, Split},
    mistakes,
    patch::Patch,
    places, sums,
};
use crate::files::{self, Files};
use anyhow::Context as _;
use std::{fs, path::Path};

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
pub fn sources(files: &Files) -> anyhow::Result<Sources> {
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
pub fn sources_of(lab: &Lab) -> anyhow::Result<Sources> {
    sources(&author_files(lab.solution()?)?).with_context(|| format!("the solution of {}", lab.short()))
}

/// Every generated file of a lab's folder: the stub, the mistakes that a check knows, where each step begins, the sums
/// of the suite.
pub fn lab_files(lab: &Lab) -> anyhow::Result<Files> {
    let mut files = sources_of(lab)?.stub;
    let mistakes = mistakes::to_text(&Patch::load_all(&lab.solution.join("mistakes"))?)?;
    let places = places::to_text(&files)?;

    let mut sums = sums::of_files(&lab.dir)?;
    sums.extend(files.iter().map(|(name, text)| (name.clone(), sums::blob_id(text.as_bytes()))));
    for (name, text) in [(mistakes::FILE, mistakes), (places::FILE, places)] {
        sums.insert(name.to_owned(), sums::blob_id(text.as_bytes()));
        files.insert(name.to_owned(), text);
    }
    files.insert(sums::FILE.to_owned(), sums::to_text(&sums));
    Ok(files)
}

/// The generated files of a lab's folder that are not as they would be written now, or that have no source.
pub fn differences(lab: &Lab) -> anyhow::Result<Vec<String>> {
    let files = lab_files(lab)?;
    let there = author_files(&lab.dir)?;
    let differs = |(name, text): &(&String, &String)| {
        fs::read_to_string(lab.dir.join(name)).as_ref().ok() != Some(text)
    };
    let mut names: Vec<_> = files.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    names.extend(there.into_keys().filter(|name| !files.contains_key(name)));
    Ok(names)
}
