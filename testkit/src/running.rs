//! Code under test that runs until it is told to end.

use crate::{Rule, bound};
use std::{
    fmt::{self, Display},
    panic, thread,
};
use tokio::sync::oneshot;

/// Code under test on a thread and a runtime of its own: it may block its thread, and its future need not be `Send`,
/// without holding up the suite that watches it.
pub struct Running<T> {
    what: &'static str,
    ended: oneshot::Receiver<thread::Result<T>>,
    /// Dropped with this: then the code's future is dropped as well, and with it its clients. Code that blocks its
    /// thread cannot be ended and goes on.
    _leash: oneshot::Sender<()>,
}

impl<T: Send + 'static> Running<T> {
    /// Runs it. `what` is its name for messages, such as `RetryConsumer::run`.
    pub fn start<F: Future<Output = T>>(
        what: &'static str,
        code: impl FnOnce() -> F + Send + 'static,
    ) -> Self {
        let (sender, ended) = oneshot::channel();
        let (leash, suite_is_over) = oneshot::channel::<()>();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = runtime.expect("a runtime for the code under test");
            let watched = async {
                tokio::select! {
                    result = async { code().await } => Some(result),
                    _ = suite_is_over => None,
                }
            };
            let result = panic::catch_unwind(panic::AssertUnwindSafe(|| runtime.block_on(watched)));
            // Tasks that it left behind may block; nobody waits for them.
            runtime.shutdown_background();
            if let Some(result) = result.transpose() {
                // A suite that is over asks no more.
                let _ = sender.send(result);
            }
        };
        thread::Builder::new().name(what.to_owned()).spawn(work).expect("a thread for the code under test");
        Self { what, ended, _leash: leash }
    }

    /// Waits for something that must happen while the code runs, at most [`bound`] long.
    ///
    /// # Panics
    /// Ends the test when it does not happen, and at once when the code has ended before.
    pub async fn until<F: Future>(&mut self, rule: &Rule<'_>, expected: impl Display, event: F) -> F::Output
    where
        T: fmt::Debug,
    {
        tokio::select! {
            biased;
            output = event => output,
            ended = &mut self.ended => {
                let seen = match ended {
                    Ok(Ok(result)) => format!("{} returned {result:?}", self.what),
                    _ => format!("{} panicked", self.what),
                };
                rule.broken(expected, seen)
            }
            () = tokio::time::sleep(bound()) => {
                rule.broken(expected, format_args!("nothing of the kind in {} s", bound().as_secs()))
            }
        }
    }

    /// Waits for its end, at most [`bound`] long.
    ///
    /// # Panics
    /// Ends the test when it does not end, or panics.
    pub async fn ends(self, rule: &Rule<'_>, expected: impl Display) -> T {
        match rule.within(&expected, self.ended).await {
            Ok(Ok(result)) => result,
            _ => rule.broken(expected, format_args!("{} panicked", self.what)),
        }
    }
}
