//! Why there is no broker, for people.

use serde_json::json;

/// What happened, and the next command to type.
#[derive(Debug)]
pub struct Problem {
    pub what: String,
    /// A tool's own words, such as the end of the container's log.
    pub details: Vec<String>,
    pub next: String,
}

impl Problem {
    pub fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), details: Vec::new(), next: next.into() }
    }

    /// As the line on standard output.
    pub fn to_json(&self) -> serde_json::Value {
        json!({"problem": {"what": self.what, "details": self.details, "next": self.next}})
    }
}
