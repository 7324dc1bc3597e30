//! A broker that does not do what every broker does for a suite. Whatever its test says then is not about the code
//! under test, and the grader is told so.

use crate::{
    bound,
    report::{self, Line},
};
use std::{
    fmt::{Debug, Display},
    time::Duration,
};

/// The longest wait for what the suite itself asks of its broker: nobody's code is judged by it.
pub(super) fn patience() -> Duration {
    bound() * 3
}

/// For what the suite asks, and code under test has no part in.
pub(super) trait OrUnusable<T> {
    /// What was asked for, or the end of the test.
    fn or_unusable(self, what: &str) -> T;
}

impl<T, E: Debug> OrUnusable<T> for Result<T, E> {
    #[track_caller]
    fn or_unusable(self, what: &str) -> T {
        match self {
            Ok(value) => value,
            Err(error) => unusable(format_args!("{what}: {error:?}")),
        }
    }
}

/// Ends the test.
#[track_caller]
pub(super) fn unusable(why: impl Display) -> ! {
    let why = why.to_string();
    report::write(&Line::Unusable { why: &why });
    panic!("the broker did not serve the suite: {why}");
}
