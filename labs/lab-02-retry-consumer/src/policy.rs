//! When a failed record is tried again, and when it is given up. No clock and no broker: pure functions.

use crate::HandlerError;
use std::time::Duration;

/// How often a record is tried again, and how long it waits before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts after the first one: a record is handed to the handler at most `1 + max_retries` times.
    pub max_retries: u32,
    /// The longest wait before the first retry. It doubles with every further retry.
    pub retry_delay: Duration,
    /// No wait is longer than this.
    pub max_delay: Duration,
}

/// What happens to a record after an attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again, this long after the failure.
    Retry(Duration),
    /// It becomes a dead letter.
    GiveUp,
}

impl RetryPolicy {
    /// The wait before a retry. `retry` is its number, from 1; `random` is a number from 0.0 to 1.0 that the caller
    /// draws.
    ///
    /// The *ceiling* of a retry is `retry_delay × 2^(retry − 1)`, or `max_delay` where that is less. The wait is
    /// the ceiling times `0.5 + random / 2`: at least half of it and never more. Without that spread, all the
    /// consumers that failed together come back together.
    ///
    /// It answers for every `retry` and every duration, however large: nothing overflows.
    pub fn delay(&self, retry: u32, random: f64) -> Duration {
        todo!("step 1: double, cap, spread; and let nothing overflow")
    }

    /// What comes after an attempt that failed. `attempt` is its number, from 1; `random` is handed on to
    /// [`delay`](Self::delay).
    ///
    /// A permanent error is given up at once: no retry mends it.
    pub fn after(&self, attempt: u32, error: &HandlerError, random: f64) -> Next {
        todo!("step 1: give up, or retry after a delay")
    }
}
