// `keep_ready` at work, with a clock that the test moves.

use crate::{dependency::Fake, support::USERS};
use lab_01_health_check::{Probe, ProbePolicy, ServingStatus, StatusBoard, keep_ready};
use std::{num::NonZeroU32, sync::Arc, time::Duration};
use testkit::Rule;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// A probe a second, with half a second to answer.
pub fn policy(success: u32, failure: u32) -> ProbePolicy {
    let threshold = |count| NonZeroU32::new(count).expect("a threshold of one or more");
    ProbePolicy {
        period: Duration::from_secs(1),
        timeout: Duration::from_millis(500),
        success_threshold: threshold(success),
        failure_threshold: threshold(failure),
    }
}

/// [`keep_ready`] at work for the users, since `began`.
pub struct Loop {
    pub board: StatusBoard,
    began: Instant,
    pub task: JoinHandle<()>,
}

pub fn run(fakes: &[&Arc<Fake>], policy: ProbePolicy) -> Loop {
    run_on(StatusBoard::new(), fakes, policy)
}

/// As [`run`], on a board that is there already.
pub fn run_on(board: StatusBoard, fakes: &[&Arc<Fake>], policy: ProbePolicy) -> Loop {
    let dependencies = fakes.iter().map(|fake| Arc::clone(fake) as Arc<dyn Probe>).collect();
    let task = tokio::spawn({
        let board = board.clone();
        async move { keep_ready(board, USERS, dependencies, policy).await }
    });
    Loop { board, began: Instant::now(), task }
}

impl Loop {
    /// Lets the clock go on to this many seconds after the beginning.
    pub async fn until(&self, seconds: f64) {
        sleep_until(self.began + Duration::from_secs_f64(seconds)).await;
    }

    /// After so many seconds the users must have this status.
    pub async fn reads(&self, rule: &Rule<'_>, seconds: f64, expected: ServingStatus) {
        self.until(seconds).await;
        let expected = expected.as_str_name();
        let seen = self.board.status(USERS).map_or("not on the board", |status| status.as_str_name());
        rule.holds(seen == expected, format_args!("after {seconds} s the users are {expected}"), seen);
    }
}
