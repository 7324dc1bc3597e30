//! How a verdict looks: one file for each format.

pub mod json;
pub mod style;
pub mod text;

#[cfg(test)]
mod snapshots;
