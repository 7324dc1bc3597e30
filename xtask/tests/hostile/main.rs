//! Hostile and unlucky submissions: `cases.toml` says what they do, and the tests here what becomes of them.

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod leftovers;
mod refused;
mod verdicts;
