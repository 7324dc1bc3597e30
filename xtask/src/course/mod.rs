//! The course on disk: where it lies, which labs it has, and what its authors wrote of each.

pub mod manifest;
mod markers;
pub mod mistakes;
pub mod places;
pub mod sources;
pub mod sums;

use crate::exit::{Exit, Stop};
use anyhow::Context as _;
use manifest::Manifest;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// How [`Course::lab`] lets people name a lab, for `--help`.
pub const LAB: &str = "A lab, by any unique beginning: lab-03, 03, 3, service";

/// The checkout that somebody works in.
#[derive(Debug)]
pub struct Course {
    pub root: PathBuf,
    /// In the order of their numbers.
    pub labs: Vec<Lab>,
}

/// A lab, known by its number: everything else about it may be renamed.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Two digits, such as `03`.
    pub number: String,
    /// The folder's and the package's name, such as `lab-03-service-discovery`.
    pub name: String,
    /// What the learner edits.
    pub dir: PathBuf,
    /// The solution with its mistakes and variants.
    pub solution: PathBuf,
}

impl Course {
    /// The course around the current folder.
    pub fn find() -> anyhow::Result<Self> {
        let here = env::current_dir().context("the current folder is gone")?;
        let root = here.ancestors().find(|dir| dir.join("labs").is_dir() && dir.join("Cargo.toml").is_file());
        let Some(root) = root else {
            let what = format!("{} is not inside the labs", here.display());
            return Err(Stop::usage(what, "Go to the folder that you cloned, then try again.").into());
        };
        Self::at(root)
    }

    /// The course in a folder.
    pub fn at(root: &Path) -> anyhow::Result<Self> {
        let folder = root.join("labs");
        let mut labs = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            labs.extend(Lab::in_folder(root, &name));
        }
        labs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { root: root.to_owned(), labs })
    }

    /// The one lab that somebody means by `lab-03`, `03`, `3` or the beginning of its slug.
    pub fn lab(&self, typed: &str) -> anyhow::Result<&Lab> {
        let wanted = typed.trim_end_matches('/').to_lowercase();
        let matches: Vec<_> = self.labs.iter().filter(|lab| lab.is_meant_by(&wanted)).collect();
        match matches[..] {
            [lab] => Ok(lab),
            [] => {
                let next = match self.nearest(&wanted) {
                    Some(lab) => format!("Did you mean {}? `cargo xtask list` shows them all.", lab.name),
                    None => "`cargo xtask list` shows the labs that there are.".into(),
                };
                Err(Stop::usage(format!("there is no lab {typed:?}"), next).into())
            }
            _ => {
                let names: Vec<_> = matches.iter().map(|lab| lab.name.as_str()).collect();
                let what = format!("{typed:?} could be {}", names.join(" or "));
                Err(Stop::usage(what, "Type more of the name, or the lab's number.").into())
            }
        }
    }

    fn nearest(&self, wanted: &str) -> Option<&Lab> {
        let likeness = |lab: &Lab| {
            let names = [lab.name.as_str(), lab.slug(), lab.short()];
            names.iter().map(|name| strsim::jaro_winkler(wanted, name)).fold(0.0, f64::max)
        };
        self.labs.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
    }

    /// Where the grader keeps what it knows of the learner.
    pub fn state_dir(&self) -> PathBuf {
        self.root.join(".labs")
    }
}

impl Lab {
    fn in_folder(root: &Path, name: &str) -> Option<Self> {
        let (number, slug) = name.strip_prefix("lab-")?.split_once('-')?;
        let two_digits = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
        (two_digits && !slug.is_empty()).then(|| Self {
            number: number.to_owned(),
            name: name.to_owned(),
            dir: root.join("labs").join(name),
            solution: root.join("solutions").join(name),
        })
    }

    /// Such as `lab-03`: what people type and messages say.
    pub fn short(&self) -> &str {
        &self.name[.."lab-00".len()]
    }

    fn slug(&self) -> &str {
        &self.name["lab-00-".len()..]
    }

    fn is_meant_by(&self, wanted: &str) -> bool {
        let number = wanted.strip_prefix("lab-").unwrap_or(wanted);
        match number.parse::<u8>() {
            Ok(number) => self.number.parse() == Ok(number),
            Err(_) => {
                !wanted.is_empty() && (self.name.starts_with(wanted) || self.slug().starts_with(wanted))
            }
        }
    }

    pub fn manifest(&self) -> anyhow::Result<Manifest> {
        Manifest::load(self.short(), &self.dir.join("lab.toml"))
    }

    /// Where a file of the lab lies as people see it, from the course's root.
    pub fn shown(&self, file: &str) -> String {
        format!("labs/{}/{file}", self.name)
    }

    /// The folder of the solution, where it is there: an instructor may hand out the labs alone.
    pub fn solution(&self) -> anyhow::Result<&Path> {
        if self.solution.is_dir() {
            return Ok(&self.solution);
        }
        let what = format!("this copy of the course has no solution for {}", self.short());
        Err(Stop::new(Exit::Usage, what, "Your instructor may have kept the solutions back.").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course() -> Course {
        let names = ["lab-00-user-service", "lab-01-health-check", "lab-03-service-discovery"];
        let labs = names.iter().filter_map(|name| Lab::in_folder(Path::new("/course"), name)).collect();
        Course { root: "/course".into(), labs }
    }

    #[test]
    fn a_lab_is_found_by_its_number_and_by_any_unique_beginning() {
        for typed in
            ["lab-03", "03", "3", "service", "lab-03-serv", "Service-Discovery", "lab-03-service-discovery/"]
        {
            assert_eq!(course().lab(typed).unwrap().number, "03", "{typed}");
        }
    }

    #[test]
    fn an_unknown_lab_gets_the_nearest_name() {
        let error = course().lab("helth").unwrap_err().downcast::<Stop>().unwrap();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.next.contains("lab-01-health-check"), "{}", error.next);
    }

    #[test]
    fn an_ambiguous_beginning_is_refused_with_the_candidates() {
        let error = course().lab("lab-").unwrap_err();
        assert!(error.to_string().contains("lab-00-user-service or lab-01-health-check"), "{error}");
        assert!(course().lab("").is_err());
    }

    #[test]
    fn a_folder_that_is_no_lab_is_passed_over() {
        for name in ["README.md", "lab-x-y", "lab-1-short", "lab-01", "lab-01-"] {
            assert!(Lab::in_folder(Path::new("/course"), name).is_none(), "{name}");
        }
    }
}
