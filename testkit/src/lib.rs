//! What the suites of the labs stand on.
//!
//! A suite never asks the learner's code what it did. It watches from outside and writes down a [`History`]:
//! each request and reply as it crossed the wire, each thing that the suite itself did, all with times. A
//! [`Rule`] states what a lab promises; when it does not hold, the test ends with what was expected, what was
//! seen and the history drawn as a timeline. What holds of a whole history, such as *no record is lost*, is a
//! [`property`].
//!
//! Every test is a plain `#[tokio::test]` that opens a [`Trial`] and returns [`Passed`]:
//!
//! ```
//! use testkit::{Passed, Trial};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # let _: Passed = the_answer_arrives().await;
//! # }
//! async fn the_answer_arrives() -> Passed {
//!     let trial = Trial::start("step-1-answer");
//!     let rule = trial.rule("The answer is 42");
//!     let answer = rule.within("an answer", async { 42 }).await;
//!     rule.same(42, answer);
//!     trial.passed()
//! }
//! ```
//!
//! # What the grader relies on
//!
//! The grader runs each test in a process of its own and names a report file in `LABS_REPORT`. In it lies a
//! token, which the first [`Trial`] takes out. Into it go the panics of every thread and task (a `todo!()`
//! behind a gRPC call reaches the client only as `Cancelled`), the failed rule, and, when the test has run to
//! its end, the token. Without the token no
//! test has passed, whatever its process printed or returned.
//!
//! Without a grader, under plain `cargo test`, nothing is reported and everything else works the same.

#![warn(missing_docs)]

mod bound;
mod event;
pub mod grpc;
mod history;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod property;
mod report;
mod rule;
mod running;
mod seeds;
mod timeline;
mod trial;
mod victim;

pub use bound::bound;
pub use event::{Answer, Event, Place, Seen, Told};
pub use history::History;
pub use rule::Rule;
pub use running::Running;
pub use seeds::seeds;
pub use timeline::timeline;
pub use trial::{Passed, Trial};
pub use victim::Victim;
