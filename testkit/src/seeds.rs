//! Which generated schedules a suite runs.

use std::env;

/// Set by `cargo xtask check LAB --seed N`: one schedule, and no other.
const SEED: &str = "LABS_SEED";

/// The seeds of the schedules to run: 1 to `count`, or the one that was asked for.
///
/// The same ones every time: the same code gets the same verdict. Whoever runs them says the seed of each to its rules
/// ([`Trial::of_schedule`](crate::Trial::of_schedule)), so that a failure tells how to have it again.
///
/// # Panics
/// When what was asked for is no number: a schedule that nobody asked for would mean nothing.
pub fn seeds(count: u64) -> Vec<u64> {
    match env::var(SEED) {
        Ok(seed) => vec![seed.parse().unwrap_or_else(|_| panic!("{SEED} is a number, not {seed:?}"))],
        Err(_) => (1..=count).collect(),
    }
}
