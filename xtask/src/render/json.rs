//! A verdict for programs: the type itself as one JSON object.

use crate::verdict::Verdict;

pub fn verdict(verdict: &Verdict) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(verdict)?)
}
