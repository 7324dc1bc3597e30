//! What a broker says no to.

use crate::support::{member_settings, subscribed};
use rdkafka::{
    error::KafkaError,
    producer::{FutureProducer, FutureRecord},
    types::RDKafkaErrorCode,
};
use testkit::{
    Passed, Trial, bound,
    kafka::{Backend, Kafka, Record, Topic},
};

#[tokio::test]
async fn a_topic_that_is_not_there_is_the_first_thing_that_is_heard() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("Nobody waits for a topic that is not there");
    let kafka = Kafka::start(&trial).await;
    let nowhere = Topic { name: "nowhere".into(), label: "nowhere".into(), partitions: 1 };
    let consumer = subscribed(&member_settings(kafka.settings(), &kafka.group("shop")), &nowhere);
    let first = rule.within("an error", consumer.recv()).await.map(|_| "a record").unwrap_err();
    assert_eq!(first, KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownTopicOrPartition));
    trial.passed()
}

#[tokio::test]
async fn a_topic_that_refuses_takes_no_record_and_others_do() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A refused record is reported");
    let kafka = Kafka::start(&trial).await;
    let (refusing, taking) = (kafka.topic_that_refuses("dead").await, kafka.topic("orders", 1).await);
    let producer: FutureProducer = kafka.settings().create().unwrap();
    let send = async |topic: &Topic| {
        let record = FutureRecord::to(&topic.name).key("k").payload("p");
        producer.send(record, bound()).await.map_err(|(error, _)| error).map(|_| ())
    };
    for _ in 0..2 {
        let refused = rule.within("a refusal", send(&refusing)).await.unwrap_err();
        let expected = match kafka.backend() {
            Backend::Embedded => RDKafkaErrorCode::TopicAuthorizationFailed,
            Backend::Docker | Backend::External => RDKafkaErrorCode::MessageSizeTooLarge,
        };
        assert_eq!(refused, KafkaError::MessageProduction(expected));
        rule.within("an acknowledgement", send(&taking)).await.unwrap();
    }
    // A reader of the one that refuses waits; there is nothing.
    let mut reader = kafka.read(&refusing);
    kafka.produce(&taking, &Record::to(0).key("last")).await;
    let mut other = kafka.read(&taking);
    while other.next(&rule).await.key.as_deref() != Some(b"last") {}
    assert!(reader.rest().is_empty());
    trial.passed()
}
