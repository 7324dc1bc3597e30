//! Where records go that cannot be handled.

use crate::HandlerError;
use rdkafka::{
    ClientConfig,
    error::KafkaError,
    message::{OwnedHeaders, OwnedMessage},
    producer::FutureProducer,
};
// stub: drop
use rdkafka::{
    Message as _,
    message::{Header, Headers as _},
    producer::FutureRecord,
    util::Timeout,
};
// stub: end
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
    // stub: todo!("step 2: the record's own headers, then the original-… ones that it lacks, then this failure")
    const REPLACED: [&str; 3] = ["error", "attempts", "timestamp"];
    let own = || record.headers().into_iter().flat_map(|headers| headers.iter());
    let kept = own().filter(|header| !REPLACED.contains(&header.key));
    let headers = kept.fold(OwnedHeaders::new(), OwnedHeaders::insert);

    let written = record.timestamp().to_millis().and_then(in_rfc_3339);
    let origin = [
        ("original-topic", Some(record.topic().to_owned())),
        ("original-partition", Some(record.partition().to_string())),
        ("original-offset", Some(record.offset().to_string())),
        ("original-timestamp", written),
    ];
    let origin = origin.into_iter().filter(|(name, _)| own().all(|header| header.key != *name));
    let failed = [
        ("error", Some(failure.error.to_string())),
        ("attempts", Some(failure.attempts.to_string())),
        ("timestamp", Some(humantime::format_rfc3339_millis(failure.at).to_string())),
    ];
    let added = origin.chain(failed).filter_map(|(key, value)| Some((key, value?)));
    added.fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(&value) }))
    // stub: end
}
// stub: drop

/// A time that a record carries. It may be any number, also one that is no date.
fn in_rfc_3339(millis: i64) -> Option<String> {
    let since_epoch = std::time::Duration::from_millis(millis.try_into().ok()?);
    let time = SystemTime::UNIX_EPOCH.checked_add(since_epoch)?;
    // The year 9999 is the last that RFC 3339 can write.
    const END: u64 = 253_402_300_800;
    (since_epoch.as_secs() < END).then(|| humantime::format_rfc3339_millis(time).to_string())
}
// stub: end

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
        // stub: todo!("step 2: a producer, and the topic's name")
        // All replicas have what is acknowledged, and the client's own retries make no copies.
        let mut settings = settings.clone();
        settings.set("acks", "all").set("enable.idempotence", "true");
        let producer = settings.create()?;
        Ok(Self { producer, topic: topic.to_owned() })
        // stub: end
    }

    /// Writes a dead letter: the record's key and payload as they are, and the headers of [`dead_letter_headers`].
    ///
    /// Returns when the broker has acknowledged it.
    ///
    /// # Errors
    /// The dead letter was not written, or nobody knows whether it was. The record is then not finished.
    pub async fn send(&self, record: &OwnedMessage, failure: &Failure) -> Result<(), KafkaError> {
        // stub: todo!("step 2: send it, and wait until the broker has it")
        let letter = FutureRecord {
            topic: &self.topic,
            partition: None,
            payload: record.payload(),
            key: record.key(),
            timestamp: None,
            headers: Some(dead_letter_headers(record, failure)),
        };
        self.producer.send(letter, Timeout::Never).await.map(drop).map_err(|(error, _)| error)
        // stub: end
    }
}
