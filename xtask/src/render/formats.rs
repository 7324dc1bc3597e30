//! The formats for programs: what they look like, and that they all say the same.

use super::{github, json, junit, samples::*, summary};
use crate::verdict::{Outcome, Place, Summary, TestOutcome, Verdict};
use schemars::generate::SchemaSettings;
use std::{collections::BTreeMap, env, fs, path::Path, time::SystemTime};

fn xml(verdicts: &[&Verdict]) -> String {
    junit::verdicts(verdicts, SystemTime::UNIX_EPOCH).unwrap()
}

fn refused() -> Verdict {
    let error = "error[E0308]: mismatched types\n --> labs/lab-01-health-check/src/board.rs:4:5\n";
    let next = "Mend the first error, then check again: cargo xtask check lab-01";
    let mut verdict = stopped(Outcome::BuildError, "your code does not compile", &[error], next);
    let file = "labs/lab-01-health-check/src/board.rs".into();
    verdict.problem.as_mut().unwrap().places = vec![Place { file, line: 4 }];
    verdict
}

/// As it would be where somebody's code printed what XML and Actions have a meaning for.
fn hostile() -> Verdict {
    let mut test = panicked("readiness::a");
    let failure = test.failure.as_mut().unwrap();
    failure.what = "]]> & <b> \"quoted\" \u{0}\u{1b}[31m".into();
    failure.output = Some("::error::forged\n</failure>%0A".into());
    failure.place = Some(Place { file: "labs/a,b:c/src/lib.rs".into(), line: 7 });
    verdict(vec![step(1, "One", 100, vec![test])])
}

#[test]
fn junit() {
    let skipped = verdict(vec![step(1, "Retry", 100, vec![passed("retry::a"), not_gradable("retry::b")])]);
    insta::assert_snapshot!(xml(&[&mixed(), &refused(), &skipped]));
}

#[test]
fn junit_of_what_xml_has_a_meaning_for() {
    insta::assert_snapshot!(xml(&[&hostile()]));
}

#[test]
fn github_annotations() {
    let all = [mixed(), refused(), hostile()].map(|verdict| github::annotations(&verdict));
    insta::assert_snapshot!(all.concat());
    assert!(!all[2].lines().any(|line| line.starts_with("::error::")), "nobody else's command");
}

#[test]
fn github_summary() {
    insta::assert_snapshot!(github::summary(&[&mixed(), &refused(), &hostile()]));
}

#[test]
fn all_labs() {
    let untouched = verdict(vec![step(1, "Retry", 100, vec![open("retry::a", "step 1: once more")])]);
    let done = verdict(vec![step(1, "Retry", 100, vec![passed("retry::a")])]);
    let all = Summary::of(vec![done, mixed(), untouched, refused()]);
    insta::assert_snapshot!(anstream::adapter::strip_str(&summary::summary(&all)).to_string());
}

/// How many tests ended in which way, as the attributes of all suites of an XML document say it.
fn totals_of(xml: &str) -> BTreeMap<String, usize> {
    let mut totals = BTreeMap::new();
    for line in xml.lines().filter(|line| line.trim_start().starts_with("<testsuite ")) {
        for name in ["tests", "failures", "errors", "skipped"] {
            let value = line.split_once(&format!(" {name}=\"")).unwrap().1.split('"').next().unwrap();
            *totals.entry(name.to_owned()).or_default() += value.parse::<usize>().unwrap();
        }
    }
    totals
}

#[test]
fn totals_agree_in_all_formats() {
    let verdict = mixed();
    let totals = verdict.totals;
    let json: serde_json::Value = serde_json::from_str(&json::of(&verdict).unwrap()).unwrap();
    assert_eq!(json["totals"]["crashed"], totals.crashed);
    assert_eq!(json["points"], verdict.points);
    let xml = xml(&[&verdict]);
    let of_xml = totals_of(&xml);
    let all = verdict.tests().count();
    assert_eq!(of_xml["tests"], all);
    assert_eq!(of_xml["failures"], totals.failed + totals.timed_out + totals.not_implemented);
    assert_eq!((of_xml["errors"], of_xml["skipped"]), (totals.crashed, totals.not_gradable));
    for (element, count) in [("testcase", all), ("failure", of_xml["failures"]), ("error", totals.crashed)] {
        assert_eq!(xml.matches(&format!("<{element} ")).count(), count, "{element}");
    }
    let passed = verdict.tests().filter(|test| test.outcome == TestOutcome::Passed).count();
    assert_eq!(all - of_xml["failures"] - of_xml["errors"], passed);
    let summary = github::summary(&[&verdict]);
    assert!(summary.contains(&format!("{} of {} points", verdict.points, verdict.points_possible)));
    let annotated = github::annotations(&verdict);
    let faults = verdict.steps.iter().filter(|step| step.state == crate::verdict::State::Failed).count();
    assert_eq!(annotated.matches("::error ").count(), faults);
}

/// Written anew with `UPDATE_SCHEMA=1 cargo test -p xtask schema`.
#[test]
fn the_published_schemas_are_those_of_the_types() {
    let generate = || SchemaSettings::draft2020_12().for_serialize().into_generator();
    for (name, schema) in [
        ("verdict", generate().into_root_schema_for::<Verdict>()),
        ("summary", generate().into_root_schema_for::<Summary>()),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{name}.schema.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if env::var_os("UPDATE_SCHEMA").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == text,
            "write docs/{name}.schema.json anew: UPDATE_SCHEMA=1 cargo test -p xtask schema"
        );
    }
}
