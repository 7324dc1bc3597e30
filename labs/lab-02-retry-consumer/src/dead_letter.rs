//! Where records go that cannot be handled.

use crate::HandlerError;
use rdkafka::{
    ClientConfig,
    error::KafkaError,
    message::{OwnedHeaders, OwnedMessage},
    producer::FutureProducer,
};
use std::time::SystemTime;

/// Why a record is given up.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The last attempt's error.
    pub error: HandlerError,
    /// How many attempts there were.
    pub attempts: u32,
    /// When it was given up.
    pub at: SystemTime,
}

/// The headers of a record's dead letter: its own, in their order, and then what an operator needs to know.
///
/// | header | value, as text |
/// | --- | --- |
/// | `original-topic` | the topic that the record was read from |
/// | `original-partition` | its partition, such as `0` |
/// | `original-offset` | its offset, such as `42` |
/// | `original-timestamp` | its timestamp in RFC 3339, in UTC, with milliseconds, such as `2026-01-31T12:00:00.250Z`; no such header where the record has none |
/// | `error` | the error's text |
/// | `attempts` | how many attempts there were, such as `4` |
/// | `timestamp` | when it was given up, in RFC 3339, in UTC |
///
/// A record that is a dead letter already (somebody put it back, and it failed again) has each of these once: an
/// `original-…` header that is there stays as it is, since it tells where the record came from in the first place;
/// one that is not there is added. `error`, `attempts` and `timestamp` tell of the last time.
pub fn dead_letter_headers(record: &OwnedMessage, failure: &Failure) -> OwnedHeaders {
    todo!("step 2: the record's own headers, then the original-… ones that it lacks, then this failure")
}

/// The topic for records that could not be handled.
///
/// The private fields are yours: keep these or put something else in their place.
pub struct DeadLetterQueue {
    producer: FutureProducer,
    topic: String,
}

impl DeadLetterQueue {
    /// A queue that writes to a topic. `settings` say where the brokers are; what delivery needs is set here in any case.
    pub fn new(settings: &ClientConfig, topic: &str) -> Result<Self, KafkaError> {
        todo!("step 2: a producer, and the topic's name")
    }

    /// Writes a dead letter: the record's key and payload as they are, and the headers of [`dead_letter_headers`].
    ///
    /// Returns when the broker has acknowledged it.
    ///
    /// # Errors
    /// The dead letter was not written, or nobody knows whether it was. The record is then not finished.
    pub async fn send(&self, record: &OwnedMessage, failure: &Failure) -> Result<(), KafkaError> {
        todo!("step 2: send it, and wait until the broker has it")
    }
}
