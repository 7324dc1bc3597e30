//! What the testkit reports of a test: one JSON object a line.
//!
//! The other end is `testkit/src/report.rs`. The types stand twice because the grader depends on nothing that
//! a learner's code runs in; the tests over `tests/fixtures` run both ends together.

use super::untrusted;
use serde::Deserialize;
use std::path::Path;

/// The longest report that is read, in bytes: some hundred thousand lines.
const MOST: u64 = 64 << 20;

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line {
    /// A thread or task panicked.
    Panicked { message: String, file: String, line: u32 },
    /// A rule was broken.
    Broken {
        rule: String,
        expected: String,
        seen: String,
        timeline: Vec<String>,
        section: String,
        #[serde(default)]
        seed: Option<u64>,
    },
    /// Something happened, as a line of a timeline.
    Happened { text: String },
    /// The test needs what this broker cannot do.
    NotGradable { why: String },
    /// The test asks for the broker that the grader provides.
    AsksForBroker,
    /// The broker did not do what every broker does.
    Unusable { why: String },
    /// The test ran to its end.
    Finished { token: String },
}

impl Line {
    /// The text of a `todo!()`, if this is one: `step 2: …`, or nothing for a bare one.
    pub fn todo(&self) -> Option<&str> {
        let Self::Panicked { message, .. } = self else { return None };
        let text = message
            .strip_prefix("not yet implemented")
            .or_else(|| message.strip_prefix("not implemented"))?;
        Some(text.strip_prefix(": ").unwrap_or(text))
    }

    /// What the test needs and this broker has not.
    pub fn not_gradable(&self) -> Option<&str> {
        match self {
            Self::NotGradable { why } => Some(why),
            _ => None,
        }
    }

    /// What the broker did not do.
    pub fn unusable(&self) -> Option<&str> {
        match self {
            Self::Unusable { why } => Some(why),
            _ => None,
        }
    }
}

/// Reads a report. Lines that make no sense are passed over: a learner's code can write into the file too.
pub fn read(path: &Path) -> Vec<Line> {
    let bytes = untrusted::beginning_of(path, MOST);
    let text = String::from_utf8_lossy(&bytes);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_todo_is_told_from_another_panic() {
        let panicked =
            |message: &str| Line::Panicked { message: message.into(), file: String::new(), line: 1 };
        assert_eq!(panicked("not yet implemented: step 2: watch").todo(), Some("step 2: watch"));
        assert_eq!(panicked("not yet implemented").todo(), Some(""));
        assert_eq!(panicked("not implemented: later").todo(), Some("later"));
        assert_eq!(panicked("index out of bounds").todo(), None);
    }

    #[test]
    fn a_broker_that_does_not_serve_is_told_as_such() {
        let line: Line = serde_json::from_str(r#"{"event":"unusable","why":"a topic is created"}"#).unwrap();
        assert_eq!(line.unusable(), Some("a topic is created"));
    }

    #[test]
    fn lines_that_make_no_sense_are_passed_over() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(
            file.path(),
            b"{\"event\":\"finished\",\"token\":\"t\"}\n\xff\n{}\n{\"event\":\"other\"}\n",
        )
        .unwrap();
        assert_eq!(read(file.path()), [Line::Finished { token: "t".into() }]);
        assert!(read(Path::new("/nowhere")).is_empty());
    }
}
