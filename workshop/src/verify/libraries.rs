//! Proves that the grader and the labs share their libraries: going from one to the next must rebuild none of them.

use super::table::Row;
use anyhow::ensure;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::Duration,
};
use xtask::{
    course::Course,
    grade::{self, Session},
};

const LIMIT: Duration = Duration::from_secs(120);

/// Every third-party crate of a package's build in its version, with each set of features that it is built with.
type Libraries = BTreeMap<String, BTreeSet<String>>;

/// What cargo compiles for somebody who runs a program.
const PROGRAM: &str = "normal,build";
/// What it compiles for somebody who runs a suite.
const SUITE: &str = "normal,build,dev";

pub fn prove(course: &Course, session: &Session) -> anyhow::Result<Vec<Row>> {
    let labs = course.labs.iter().flat_map(|lab| {
        let solution = lab.name.replacen("lab-", "solution-", 1);
        [(lab.name.clone(), SUITE), (solution, SUITE)]
    });
    let labs: Vec<_> = labs.collect();
    let (grader, workshop) = (("xtask".to_owned(), PROGRAM), ("workshop".to_owned(), PROGRAM));
    // The grader is compiled before a first lab. What it shares with the workshop is itself.
    let before = [&grader].into_iter().chain(labs.first()).cloned().collect();
    let mut rows = Vec::new();
    for packages in [labs, before, vec![grader, workshop]] {
        rows.extend(share(course, session, packages)?);
    }
    Ok(rows)
}

/// Holds each of some packages against the first of them.
fn share(course: &Course, session: &Session, packages: Vec<(String, &str)>) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut first: Option<(String, Libraries)> = None;
    for (package, edges) in packages {
        let these = libraries(course, session, &package, edges)?;
        if let Some((name, those)) = &first {
            rows.push(Row::of(format!("{package} and {name}"), same_features(&these, those)));
        } else {
            first = Some((package, these));
        }
    }
    Ok(rows)
}

fn libraries(course: &Course, session: &Session, package: &str, edges: &str) -> anyhow::Result<Libraries> {
    let mut command = Command::new(grade::build::cargo());
    command.current_dir(&course.root).args(["tree", "--package", package, "--edges", edges]);
    command.args(["--prefix", "none", "--format", "{p}|{f}"]);
    let (success, output) = grade::run_and_read(session, &mut command, LIMIT)?;
    ensure!(success, "cargo tree failed:\n{output}");
    Ok(parse(&output))
}

fn parse(tree: &str) -> Libraries {
    let mut libraries = Libraries::new();
    // Packages of the course have a path behind their version; they are built for each lab as it needs them.
    let lines =
        tree.lines().filter_map(|line| line.split_once('|')).filter(|(package, _)| !package.contains('/'));
    for (package, features) in lines {
        // A package that was printed before is marked with a star.
        let features = features.trim_end_matches(" (*)").to_owned();
        libraries.entry(package.to_owned()).or_default().insert(features);
    }
    libraries
}

fn same_features(these: &Libraries, those: &Libraries) -> anyhow::Result<()> {
    for (package, features) in these {
        let Some(other) = those.get(package) else { continue };
        ensure!(
            features == other,
            "{package} is built with {features:?} for one and with {other:?} for the other.\nName the features once, \
             in the root Cargo.toml"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_set_of_features_is_found() {
        let one = parse(
            "lab-01 v0.1.0 (/course/labs/a)|\ntokio v1.2.3|net,time\nbytes v1.0.0|std\ntokio v1.2.3|net,time (*)\n",
        );
        let same = parse("tokio v1.2.3|net,time\n");
        let other = parse("tokio v1.2.3|net\n");
        assert_eq!(one.len(), 2);
        assert!(same_features(&one, &same).is_ok());
        assert!(same_features(&one, &other).unwrap_err().to_string().contains("tokio"));
    }
}
