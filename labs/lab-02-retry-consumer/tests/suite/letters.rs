// Step 2: how a dead letter gets to the broker.

use lab_02_retry_consumer::{DeadLetterQueue, Failure, HandlerError};
use rdkafka::{
    ClientConfig, Timestamp,
    error::KafkaError,
    message::{Header, OwnedHeaders, OwnedMessage},
};
use std::time::{Duration, Instant, SystemTime};
use testkit::{
    Passed, Rule, Running, Trial,
    kafka::{Kafka, Topic},
};

const SECTION: &str = "step-2-dead-letters";

/// Record 42 of `orders/7`.
fn record(key: Option<&[u8]>, payload: Option<&[u8]>) -> OwnedMessage {
    let headers = OwnedHeaders::new().insert(Header { key: "trace", value: Some("abc") });
    let (key, payload) = (key.map(<[u8]>::to_vec), payload.map(<[u8]>::to_vec));
    OwnedMessage::new(payload, key, "orders".into(), Timestamp::CreateTime(250), 7, 42, Some(headers))
}

fn failure() -> Failure {
    let error = HandlerError::Transient("the bank is down".into());
    Failure { error, attempts: 4, at: SystemTime::UNIX_EPOCH }
}

/// Sends these as dead letters, one after the other, and says how the last one went and how long it took.
async fn send(
    trial: &Trial,
    rule: &Rule<'_>,
    settings: ClientConfig,
    topic: &Topic,
    records: Vec<OwnedMessage>,
) -> (Result<(), KafkaError>, Duration) {
    let topic = topic.name.clone();
    trial.did(format!("DeadLetterQueue::send, {} times", records.len()));
    let sending = Running::start("DeadLetterQueue::send", move || async move {
        let queue = match DeadLetterQueue::new(&settings, &topic) {
            Ok(queue) => queue,
            Err(error) => return (Err(error), Duration::ZERO),
        };
        let mut last = (Ok(()), Duration::ZERO);
        for record in records {
            let began = Instant::now();
            last = (queue.send(&record, &failure()).await, began.elapsed());
        }
        last
    });
    sending.ends(rule, "send returns").await
}

/// What a record is, its key, and its payload.
type Case<'a> = (&'a str, Option<&'a [u8]>, Option<&'a [u8]>);

/// Sends records with these keys and payloads, and compares what arrives.
async fn arrive_as_they_are(trial: &Trial, rule: &Rule<'_>, cases: &[Case<'_>]) {
    let kafka = Kafka::start(trial).await;
    let dead = kafka.topic("dead", 1).await;
    let mut letters = kafka.read(&dead);
    let records = cases.iter().map(|(_, key, payload)| record(*key, *payload)).collect();
    let (sent, _) = send(trial, rule, kafka.settings(), &dead, records).await;
    rule.holds(sent.is_ok(), "the broker takes them", format_args!("{sent:?}"));
    for (what, key, payload) in cases {
        let letter = letters.next(rule).await;
        let expected = (key.map(<[u8]>::to_vec), payload.map(<[u8]>::to_vec));
        let seen = (letter.key.clone(), letter.payload.clone());
        rule.holds(
            expected == seen,
            format_args!("{what}: key {:?}, payload {:?}", expected.0, expected.1),
            format_args!("key {:?}, payload {:?}", seen.0, seen.1),
        );
        for (name, expected) in [("trace", "abc"), ("original-offset", "42"), ("attempts", "4")] {
            let seen = letter.header_text(name).unwrap_or_default();
            rule.holds(seen == expected, format_args!("{what}: header {name} is {expected:?}"), &seen);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_and_payload_are_kept_byte_for_byte() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A dead letter has its record's key and payload, byte for byte");
    let bytes: (&[u8], &[u8]) = (&[0xc3, 0x28], &[0x00, 0xff, 0xfe]);
    let cases = [("a record of bytes that are no text", Some(bytes.0), Some(bytes.1))];
    arrive_as_they_are(&trial, &rule, &cases).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_another_thing_than_empty() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The dead letter of a tombstone is a tombstone, and one without a key has no key");
    let cases: [Case<'_>; 4] = [
        ("a tombstone", Some(b"key"), None),
        ("a record without a key", None, Some(b"payload")),
        ("a record with neither", None, None),
        ("a record with an empty key and an empty payload", Some(b""), Some(b"")),
    ];
    arrive_as_they_are(&trial, &rule, &cases).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn send_returns_when_the_broker_has_it() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("send returns when the broker has acknowledged the dead letter, and not before");
    let Some(kafka) = Kafka::with_faults(&trial).await else {
        return trial.not_gradable("a broker that can be slowed");
    };
    let dead = kafka.topic("dead", 1).await;
    let mut letters = kafka.read(&dead);
    let round_trip = Duration::from_millis(250);
    kafka.faults().expect("an embedded broker").slow(round_trip);
    let (sent, took) = send(&trial, &rule, kafka.settings(), &dead, vec![record(None, None)]).await;
    rule.holds(sent.is_ok(), "the broker takes it", format_args!("{sent:?}"));
    rule.holds(
        took >= round_trip,
        format_args!("send takes as long as the broker does, {} ms or more", round_trip.as_millis()),
        format_args!("{} ms", took.as_millis()),
    );
    letters.next(&rule).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("send returns an error when the broker does not take the dead letter");
    let Some(kafka) = Kafka::with_faults(&trial).await else {
        return trial.not_gradable("a broker that can be made to refuse records");
    };
    let dead = kafka.topic("dead", 1).await;
    kafka.faults().expect("an embedded broker").refuse_records();
    let (sent, _) = send(&trial, &rule, kafka.settings(), &dead, vec![record(None, Some(b"large"))]).await;
    rule.holds(sent.is_err(), "an error", "Ok");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_cannot_weaken_the_delivery() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What delivery depends on is set by the queue, whatever the settings say");
    let Some(kafka) = Kafka::with_faults(&trial).await else {
        return trial.not_gradable("a broker that can be made to refuse records");
    };
    let dead = kafka.topic("dead", 1).await;
    kafka.faults().expect("an embedded broker").refuse_records();
    let mut settings = kafka.settings();
    for (key, value) in [("acks", "0"), ("enable.idempotence", "false")] {
        trial.did(format!("settings: {key} = {value}"));
        settings.set(key, value);
    }
    let (sent, _) = send(&trial, &rule, settings, &dead, vec![record(None, Some(b"large"))]).await;
    rule.holds(sent.is_err(), "an error: the broker refuses the dead letter", "Ok");
    trial.passed()
}
