//! How a verdict looks: one file for each format.

mod evidence;
pub mod github;
pub mod json;
pub mod junit;
pub mod style;
pub mod summary;
pub mod text;

#[cfg(test)]
mod formats;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod snapshots;
