//! The table of cases.

use serde::Deserialize;
use serde_json::Value;

/// One thing that a submission may do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub does: String,
    pub outcome: String,
    #[serde(default)]
    says: String,
    pub test: Option<String>,
    pub shown_by: Option<String>,
    on: Option<String>,
}

#[derive(Deserialize)]
struct Table {
    case: Vec<Case>,
}

pub fn all() -> Vec<Case> {
    let table: Table = toml::from_str(include_str!("cases.toml")).unwrap();
    table.case
}

/// The case that a test of this crate shows.
pub fn shown_by(module: &str, test: &str) -> Case {
    let name = format!("hostile::{module}::{test}");
    all().into_iter().find(|case| case.shown_by.as_ref() == Some(&name)).expect("a case for each test")
}

impl Case {
    pub fn holds_here(&self) -> bool {
        self.on.as_deref().is_none_or(|system| system == std::env::consts::OS)
    }

    /// Ends the test unless the verdict on the whole check, or on one test, is the one of the table.
    #[track_caller]
    pub fn is_told_by(&self, verdict: &Value) {
        assert_eq!(verdict["outcome"], self.outcome.as_str(), "{}: {verdict:#}", self.does);
        let why = if verdict["problem"].is_null() { &verdict["failure"] } else { &verdict["problem"] };
        let what = why["what"].as_str().unwrap_or_default();
        assert!(what.contains(&self.says), "{}: {verdict:#}", self.does);
    }
}

#[test]
fn each_case_is_shown_by_one_test() {
    for case in all() {
        assert_ne!(case.test.is_some(), case.shown_by.is_some(), "{}", case.does);
        let Some(shown_by) = case.shown_by else { continue };
        let parts: Vec<_> = shown_by.split("::").collect();
        let (test, file) = parts.split_last().unwrap();
        let path = format!("{}/tests/{}.rs", env!("CARGO_MANIFEST_DIR"), file.join("/"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(text.contains(&format!("\nfn {test}() {{")), "{shown_by} is not in {path}");
    }
}
