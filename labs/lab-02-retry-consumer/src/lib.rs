//! A Kafka consumer that loses nothing: at-least-once with retries and dead letters.
//!
//! # Scope
//!
//! - How often and when a failed record is tried again: pure functions ([`RetryPolicy`]).
//! - Where records go that cannot be handled ([`DeadLetterQueue`]).
//! - A consumer that hands each record to a [`Handler`] and commits an offset only when everything before it is
//!   finished ([`RetryConsumer`]).
//!
//! # Not in scope
//!
//! - Exactly-once. A record may be handled twice, after a crash or a rebalance; handlers have to bear that.
//! - Delayed retry topics. Here a record waits in its partition, so that the order is kept.
//!
//! # Words
//!
//! A record is *finished* when a call of the handler for it returned `Ok`, or when its dead letter was acknowledged by
//! the broker. An *attempt* is one call of the handler; the first counts as 1. The *committed offset* of a partition is
//! the offset of the record that the next member of the group reads first: one past the last finished one.

// Until all steps are written some of the given code has no caller, and no parameter a use.
#![allow(dead_code, unused_variables)]
#![warn(missing_docs)]

mod consumer;
mod dead_letter;
mod handler;
mod membership;
mod policy;

pub use consumer::{COMMIT_INTERVAL, RetryConsumer, RunError};
pub use dead_letter::{DeadLetterQueue, Failure, dead_letter_headers};
pub use handler::{Handler, HandlerError};
pub use policy::{Next, RetryPolicy};
