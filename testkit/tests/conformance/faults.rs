//! Faults, which only the embedded broker has.

use crate::support::{member_settings, next, subscribed};
use rdkafka::{
    Message as _,
    consumer::{CommitMode, Consumer as _},
    error::KafkaError,
    producer::{FutureProducer, FutureRecord},
    types::RDKafkaErrorCode,
};
use std::time::Duration;
use testkit::{
    Passed, Trial, bound,
    kafka::{Backend, Kafka, Record},
};
use tokio::time::Instant;

#[tokio::test]
async fn refused_commits_are_reported_and_leave_the_offset_as_it_was() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A commit may be refused");
    let Some(kafka) = Kafka::with_faults(&trial).await else { return trial.not_gradable("faults") };
    assert_eq!(kafka.backend(), Backend::Embedded);
    let faults = kafka.faults().expect("the embedded broker can fail");
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 3).await;
    let consumer = subscribed(&member_settings(kafka.settings(), &group), &orders);
    let commits = kafka.commits(&group, &orders);
    let first = rule.within("a record", consumer.recv()).await.unwrap();
    consumer.commit_message(&first, CommitMode::Sync).unwrap();
    faults.refuse_commits();
    for _ in 0..2 {
        let message = rule.within("a record", consumer.recv()).await.unwrap();
        let refused = consumer.commit_message(&message, CommitMode::Sync).unwrap_err();
        assert_eq!(refused, KafkaError::ConsumerCommit(RDKafkaErrorCode::GroupAuthorizationFailed));
    }
    assert_eq!(commits.now().await, [(0, 1)].into());
    trial.passed()
}

#[tokio::test]
async fn refused_records_are_reported_until_they_are_taken_again() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A record may be refused");
    let Some(kafka) = Kafka::with_faults(&trial).await else { return trial.not_gradable("faults") };
    let faults = kafka.faults().expect("the embedded broker can fail");
    let orders = kafka.topic("orders", 1).await;
    let producer: FutureProducer = kafka.settings().create().unwrap();
    let send = async || {
        let record = FutureRecord::to(&orders.name).key("k").payload("p");
        producer.send(record, bound()).await.map_err(|(error, _)| error).map(|_| ())
    };
    faults.refuse_records();
    for _ in 0..3 {
        let refused = rule.within("a refusal", send()).await.unwrap_err();
        assert_eq!(refused, KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge));
    }
    faults.take_records();
    rule.within("an acknowledgement", send()).await.unwrap();
    trial.passed()
}

#[tokio::test]
async fn a_slow_broker_answers_late() -> Passed {
    let trial = Trial::start("conformance");
    let Some(kafka) = Kafka::with_faults(&trial).await else { return trial.not_gradable("faults") };
    let orders = kafka.topic("orders", 1).await;
    kafka.produce(&orders, &Record::to(0)).await;
    kafka.faults().expect("the embedded broker can fail").slow(Duration::from_millis(200));
    let began = Instant::now();
    kafka.produce(&orders, &Record::to(0)).await;
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
    trial.passed()
}

#[tokio::test]
async fn clients_of_a_broker_that_was_down_go_on_when_it_is_up() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A broker may go and come back");
    let Some(kafka) = Kafka::with_faults(&trial).await else { return trial.not_gradable("faults") };
    let faults = kafka.faults().expect("the embedded broker can fail");
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    let commits = kafka.commits(&group, &orders);
    kafka.produce_many(&orders, 0, 1).await;
    let consumer = subscribed(&member_settings(kafka.settings(), &group), &orders);
    assert_eq!(next(&rule, &consumer).await, (0, 0));

    faults.down();
    let mut impatient = kafka.settings();
    let producer: FutureProducer = impatient.set("message.timeout.ms", "100").create().unwrap();
    let sent = producer.send(FutureRecord::<(), ()>::to(&orders.name).partition(0), bound());
    let (error, _) = rule.within("a record that nobody takes", sent).await.unwrap_err();
    assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut));
    faults.up();

    kafka.produce_many(&orders, 0, 1).await;
    // Meanwhile the consumer is told that nobody was there, and the group may have begun anew.
    let recovered = async {
        loop {
            let Ok(message) = consumer.recv().await else { continue };
            if consumer.commit_message(&message, CommitMode::Sync).is_ok() && message.offset() == 1 {
                break;
            }
        }
    };
    rule.within("the record that came after the outage is read and committed", recovered).await;
    commits.reach(&rule, 0, 2).await;
    trial.passed()
}
