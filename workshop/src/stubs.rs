//! What an author's files make: everything in a lab's folder that nobody edits by hand.

use crate::patch::Patch;
use std::fs;
use xtask::{
    course::{
        Lab,
        mistakes::{self, Mistake},
        places, sources, sums,
    },
    files::Files,
};

/// Every generated file of a lab's folder: the stub, the mistakes that a check knows, where each step begins, the sums
/// of the suite.
pub fn lab_files(lab: &Lab) -> anyhow::Result<Files> {
    let mut files = sources::of_lab(lab)?.stub;
    let mistakes = mistakes::to_text(mistakes_of(lab)?)?;
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
    let there = sources::author_files(&lab.dir)?;
    let differs = |(name, text): &(&String, &String)| {
        fs::read_to_string(lab.dir.join(name)).as_ref().ok() != Some(text)
    };
    let mut names: Vec<_> = files.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    names.extend(there.into_keys().filter(|name| !files.contains_key(name)));
    Ok(names)
}

/// The mistakes as the author has them now, with the solution.
pub fn mistakes_of(lab: &Lab) -> anyhow::Result<Vec<Mistake>> {
    Ok(Patch::load_all(&lab.solution()?.join("mistakes"))?.iter().map(Mistake::from).collect())
}
