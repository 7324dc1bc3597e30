//! A verdict for programs: the types themselves as one JSON object. `docs/verdict.schema.json` describes it.

use serde::Serialize;

/// A [`Verdict`](crate::verdict::Verdict), or a [`Summary`](crate::verdict::Summary) of several.
pub fn of(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
