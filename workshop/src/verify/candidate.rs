//! Code of which it is known whether it is right: the stub, the solution, each mistake and each variant, each made
//! into a package of its own.

use crate::patch::Patch;
use std::collections::BTreeSet;
use xtask::{
    course::{Lab, sources},
    files::Files,
};

/// Code to grade, and what its verdict must be.
#[derive(Debug)]
pub struct Candidate {
    pub kind: Kind,
    pub name: String,
    /// The tests that must fail.
    pub fails: BTreeSet<String>,
    /// Those that may.
    pub may_fail: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Solution,
    Stub,
    Mistake,
    Variant,
    /// What an outside judge has made of the solution. It is wrong, or equal.
    Mutant,
}

impl Kind {
    /// Each kind that `verify` proves, with what is proven of it.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Solution, "solution passes"),
        (Self::Stub, "stub is not implemented"),
        (Self::Mistake, "mistakes are caught and named"),
        (Self::Variant, "variants pass"),
    ];
}

impl Candidate {
    /// The name of its package.
    pub fn package(&self) -> String {
        let kind = match self.kind {
            Kind::Solution => "solution",
            Kind::Stub => "stub",
            Kind::Mistake => "mistake",
            Kind::Variant => "variant",
            Kind::Mutant => "mutant",
        };
        format!("{kind}-{}", self.name)
    }
}

/// Everything that a lab's suite is proven against, each with its package, or why there is none.
pub fn all(lab: &Lab) -> anyhow::Result<Vec<(Candidate, anyhow::Result<Files>)>> {
    let author = sources::author_files(lab.solution()?)?;
    let sources = sources::of(&author)?;
    let nothing = BTreeSet::new;
    let plain = |kind| Candidate { kind, name: lab.number.clone(), fails: nothing(), may_fail: nothing() };
    let mut all = vec![(plain(Kind::Stub), Ok(sources.stub)), (plain(Kind::Solution), Ok(sources.solution))];
    for (kind, folder) in [(Kind::Mistake, "mistakes"), (Kind::Variant, "variants")] {
        for patch in Patch::load_all(&lab.solution.join(folder))? {
            let files = patched(&author, &patch);
            let Patch { name, fails, may_fail, .. } = patch;
            all.push((Candidate { kind, name, fails, may_fail }, files));
        }
    }
    let packages = all.into_iter().map(|(candidate, files)| {
        let files = files.map(|files| as_package(lab, &candidate.package(), files));
        (candidate, files)
    });
    Ok(packages.collect())
}

/// A candidate made of the author's files as somebody has changed them.
pub fn of_author(lab: &Lab, kind: Kind, name: String, author: Files) -> (Candidate, anyhow::Result<Files>) {
    let candidate = Candidate { kind, name, fails: BTreeSet::new(), may_fail: BTreeSet::new() };
    let files = sources::of(&author).map(|made| as_package(lab, &candidate.package(), made.solution));
    (candidate, files)
}

/// The code of a learner who made this mistake, or who built it this way.
fn patched(author: &Files, patch: &Patch) -> anyhow::Result<Files> {
    Ok(sources::of(&patch.apply(author)?)?.solution)
}

/// Turns a lab's sources into a package of its own name whose tests are the lab's suite.
fn as_package(lab: &Lab, package: &str, mut files: Files) -> Files {
    // Nothing but the library is graded; a binary for each package would cost seconds of linking.
    files.remove("src/main.rs");
    let (lab_crate, own_crate) = (lab.name.replace('-', "_"), package.replace('-', "_"));
    for text in files.values_mut() {
        *text = text.replace(&lab.name, package).replace(&lab_crate, &own_crate);
    }
    let suite = lab.dir.join("tests/suite/main.rs");
    let tests =
        format!("extern crate {own_crate} as {lab_crate};\ninclude!({:?});\n", suite.display().to_string());
    files.insert("tests/suite.rs".into(), tests);
    files
}
