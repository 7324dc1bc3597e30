//! A paused partition.

use crate::support::{member_settings, next, subscribed};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
};
use testkit::{
    Passed, Trial, bound,
    kafka::{Kafka, Topic},
};

fn only(topic: &Topic, partition: i32) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(&topic.name, partition);
    list
}

/// A list that a client was given must not outlive it: its drop would hang.
fn pause(consumer: &StreamConsumer, topic: &Topic, partition: i32) {
    consumer.pause(&only(topic, partition)).unwrap();
}

fn resume(consumer: &StreamConsumer, topic: &Topic, partition: i32) {
    consumer.resume(&only(topic, partition)).unwrap();
}

#[tokio::test]
async fn a_paused_partition_waits_while_others_go_on_and_then_goes_on_in_order() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("Pause loses nothing");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 2).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 50).await;
    let consumer = subscribed(&member_settings(kafka.settings(), &group), &orders);
    // By now many of the 50 are with the client.
    assert_eq!(next(&rule, &consumer).await, (0, 0));
    pause(&consumer, &orders, 0);
    kafka.produce_many(&orders, 1, 20).await;
    for offset in 0..20 {
        assert_eq!(next(&rule, &consumer).await, (1, offset), "only the other partition goes on");
    }
    resume(&consumer, &orders, 0);
    for offset in 1..50 {
        assert_eq!(next(&rule, &consumer).await, (0, offset), "what had been fetched is not lost");
    }
    trial.passed()
}

#[tokio::test]
async fn a_seek_brings_a_record_again() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A seek goes back");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 10).await;
    let consumer = subscribed(&member_settings(kafka.settings(), &group), &orders);
    for offset in 0..5 {
        assert_eq!(next(&rule, &consumer).await, (0, offset));
    }
    consumer.seek(&orders.name, 0, Offset::Offset(2), bound()).unwrap();
    for offset in 2..10 {
        assert_eq!(next(&rule, &consumer).await, (0, offset));
    }
    trial.passed()
}
