//! Readiness: a service is SERVING while everything that it depends on answers.

use crate::{ServingStatus, StatusBoard};
use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// Finds out whether one dependency, such as a database, can be used now.
#[tonic::async_trait]
pub trait Probe: Send + Sync {
    /// True when the dependency can be used.
    ///
    /// May take for ever: [`keep_ready`] gives it a time limit, and drops the future when it is over. Must not
    /// block its thread and must not panic.
    async fn probe(&self) -> bool;
}

/// How often dependencies are probed and how a row of results is judged. Kubernetes uses the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbePolicy {
    /// Time from the start of one probe of a dependency to the start of its next. More than zero.
    pub period: Duration,
    /// Time limit of one probe. A probe that has not answered by then has failed. May be longer than `period`:
    /// probes that take longer than a period then still count, and come less often.
    pub timeout: Duration,
    /// Successes in a row that make a dependency ready.
    pub success_threshold: NonZeroU32,
    /// Failures in a row that make a ready dependency unready. More than one, so that a lost packet does not
    /// take the service out of every load balancer.
    pub failure_threshold: NonZeroU32,
}

impl Default for ProbePolicy {
    /// What Kubernetes takes when nothing is said: every 10 s, at most 1 s, ready after 1, unready after 3.
    fn default() -> Self {
        Self {
            period: Duration::from_secs(10),
            timeout: Duration::from_secs(1),
            success_threshold: NonZeroU32::MIN,
            failure_threshold: NonZeroU32::MIN.saturating_add(2),
        }
    }
}

/// Judges the results of one dependency's probes. Pure: it knows no clock, no board and no probe.
///
/// It begins with NOT_SERVING. While it is NOT_SERVING, `success_threshold` successes in a row make it SERVING.
/// While it is SERVING, `failure_threshold` failures in a row make it NOT_SERVING. The opposite result ends a
/// row: the count begins again from zero.
#[derive(Clone, Debug)]
pub struct Readiness {
    policy: ProbePolicy,
    status: ServingStatus,
    /// Results in a row that speak against `status`.
    against: u32,
}

impl Readiness {
    /// Judges by the two thresholds of the policy.
    pub fn new(policy: ProbePolicy) -> Self {
        Self { policy, status: ServingStatus::NotServing, against: 0 }
    }

    /// Takes the next result, true for a success, and returns the status from now on.
    pub fn observe(&mut self, success: bool) -> ServingStatus {
        todo!("step 3: count results in a row, and change the status when there are enough of them")
    }
}

/// Probes the dependencies of a service for ever, and keeps its status on the board.
///
/// The service is SERVING when every dependency is ready, otherwise NOT_SERVING; each dependency is judged by
/// a [`Readiness`] of its own. So it is on the board as NOT_SERVING at once, before any probe has answered, and
/// stays so until the last of the dependencies has become ready. A service that depends on nothing is SERVING.
///
/// # When probes run
///
/// - The first probe of each dependency starts at once.
/// - The next one starts at the earliest one `period` after the one before *started*, and at the latest one
///   `period` after it *ended*. So a dependency is never probed twice at the same time, and probes that were
///   missed are not made up for.
/// - A probe that has not answered within `timeout` has failed, and is dropped.
/// - Dependencies do not wait for each other: while one of them hangs, the others are probed in their time,
///   and each result counts as soon as it is there.
///
/// # When it ends
///
/// It never returns: run it as a task of its own, apart from the calls. When it is dropped, or its task
/// aborted, the probes end with it and the service keeps its last status: it stays on the board.
///
/// Time is Tokio's, so that a test can pause it.
pub async fn keep_ready(
    board: StatusBoard,
    service: &str,
    dependencies: Vec<Arc<dyn Probe>>,
    policy: ProbePolicy,
) {
    todo!("step 3: probe every dependency by itself, and put on the board what their results amount to")
}
