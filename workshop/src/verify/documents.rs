//! Proves the documents: every link leads somewhere.

use super::{markdown::Document, table::Row};
use crate::patch::Patch;
use anyhow::{Context as _, ensure};
use std::{fs, path::Path};
use xtask::course::{Course, Lab};

/// The documents at the root of the course.
const DOCUMENTS: [&str; 3] = ["README.md", "CONTRIBUTING.md", "AGENTS.md"];

pub fn prove(course: &Course) -> anyhow::Result<Vec<Row>> {
    let mut rows: Vec<_> =
        DOCUMENTS.iter().map(|name| Row::of(*name, links(&course.root.join(name)))).collect();
    let readme = fs::read_to_string(course.root.join(DOCUMENTS[0])).unwrap_or_default();
    for lab in &course.labs {
        rows.push(Row::of(format!("README.md on {}", lab.short()), tells_of(&readme, lab)));
    }
    Ok(rows)
}

/// Proves that the README leads to a lab and gives its figures as they are.
fn tells_of(readme: &str, lab: &Lab) -> anyhow::Result<()> {
    let link = lab.shown("README.md");
    ensure!(readme.contains(&link), "the map of the labs does not lead to {link}");
    let tests: usize = lab.manifest()?.steps.iter().map(|step| step.tests.len()).sum();
    let count = |folder| Ok::<_, anyhow::Error>(Patch::load_all(&lab.solution()?.join(folder))?.len());
    let row = format!("| {} | {tests} | {} | {} |", lab.short(), count("mistakes")?, count("variants")?);
    ensure!(readme.contains(&row), "the table of what is proven must have the line\n  {row}");
    Ok(())
}

/// Proves that every link of a document that stays within the course leads to a file, and to a heading in it.
pub fn links(path: &Path) -> anyhow::Result<()> {
    let document = load(path)?;
    for link in document.links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if file.is_empty() { path.to_owned() } else { path.with_file_name(file) };
        ensure!(target.exists(), "the link {link} leads to no file");
        ensure!(
            anchor.is_empty() || load(&target)?.has_anchor(anchor),
            "the link {link} leads to no heading"
        );
    }
    Ok(())
}

fn load(path: &Path) -> anyhow::Result<Document> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(Document::parse(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nowhere_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.md");
        let with = |link: &str| {
            fs::write(&path, format!("# One two\n\n[x]({link})\n")).unwrap();
            links(&path).map_err(|error| error.to_string())
        };
        assert_eq!(with("#one-two"), Ok(()));
        assert_eq!(with("a.md#one-two"), Ok(()));
        assert_eq!(with("https://example.com/#x"), Ok(()));
        assert!(with("b.md").unwrap_err().contains("no file"));
        assert!(with("#three").unwrap_err().contains("no heading"));
    }
}
