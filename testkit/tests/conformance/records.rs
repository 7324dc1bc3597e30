//! What was produced is what is read.

use rdkafka::{Message as _, Timestamp, message::Headers as _};
use testkit::{
    Passed, Trial,
    kafka::{Kafka, Record},
};

use crate::support::{member_settings, subscribed};

fn records() -> [Record; 3] {
    [
        Record::to(0)
            .key("k")
            .payload("p")
            .header("a", "1")
            .header("a", "2")
            .header_without_value("b")
            .timestamp(42),
        Record::to(0).timestamp(43),
        Record::to(0).key("").payload("").timestamp(44),
    ]
}

#[tokio::test]
async fn a_topic_is_read_from_its_beginning() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("What was produced is read");
    let kafka = Kafka::start(&trial).await;
    let orders = kafka.topic("orders", 1).await;
    for (offset, record) in (0..).zip(&records()) {
        assert_eq!(kafka.produce(&orders, record).await.offset, offset);
    }
    let mut reader = kafka.read(&orders);
    for record in &records() {
        assert_eq!(&reader.next(&rule).await, record);
    }
    assert!(reader.rest().is_empty());
    trial.passed()
}

#[tokio::test]
async fn a_member_reads_keys_payloads_headers_and_times_as_they_were_produced() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("What was produced is read");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    for record in &records() {
        kafka.produce(&orders, record).await;
    }
    let consumer = subscribed(&member_settings(kafka.settings(), &group), &orders);
    let first = rule.within("a record", consumer.recv()).await.unwrap().detach();
    assert_eq!((first.key(), first.payload()), (Some(&b"k"[..]), Some(&b"p"[..])));
    assert_eq!(first.timestamp(), Timestamp::CreateTime(42));
    let headers: Vec<_> = first.headers().unwrap().iter().map(|header| (header.key, header.value)).collect();
    assert_eq!(headers, [("a", Some(&b"1"[..])), ("a", Some(&b"2"[..])), ("b", None)]);

    let second = rule.within("a record", consumer.recv()).await.unwrap().detach();
    assert_eq!((second.key(), second.payload()), (None, None), "null is not empty");
    assert!(second.headers().is_none_or(|headers| headers.count() == 0));

    let third = rule.within("a record", consumer.recv()).await.unwrap().detach();
    assert_eq!((third.key(), third.payload()), (Some(&b""[..]), Some(&b""[..])), "empty is not null");
    trial.passed()
}

#[tokio::test]
async fn a_record_without_a_time_is_from_now() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A record has a time");
    let kafka = Kafka::start(&trial).await;
    let orders = kafka.topic("orders", 1).await;
    let now = || i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let before = now();
    kafka.produce(&orders, &Record::to(0)).await;
    let time = kafka.read(&orders).next(&rule).await.timestamp.unwrap();
    assert!((before..=now()).contains(&time), "{before} ≤ {time}");
    trial.passed()
}

#[tokio::test]
async fn each_partition_has_offsets_of_its_own() -> Passed {
    let trial = Trial::start("conformance");
    let kafka = Kafka::start(&trial).await;
    let orders = kafka.topic("orders", 2).await;
    let mut places = Vec::new();
    for partition in [0, 1, 1, 0, 1] {
        let place = kafka.produce(&orders, &Record::to(partition)).await;
        places.push((place.topic, place.partition, place.offset));
    }
    let expected = [(0, 0), (1, 0), (1, 1), (0, 1), (1, 2)];
    assert_eq!(places, expected.map(|(partition, offset)| ("orders".to_owned(), partition, offset)));
    trial.passed()
}
