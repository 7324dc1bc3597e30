//! Offsets and commits.

use crate::support::{member_settings, next, subscribed};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _},
};
use testkit::{Event, Passed, Seen, Trial, kafka::Kafka};

#[tokio::test]
async fn a_committed_offset_is_seen_from_outside() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A committed offset is one past the record");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 2).await, kafka.group("shop"));
    let commits = kafka.commits(&group, &orders);
    assert!(commits.now().await.is_empty(), "nothing is committed before anybody committed");
    kafka.produce_many(&orders, 1, 3).await;

    let consumer = subscribed(&member_settings(kafka.settings(), &group), &orders);
    for offset in 0..2 {
        let message = rule.within("a record", consumer.recv()).await.unwrap();
        consumer.commit_message(&message, CommitMode::Sync).unwrap();
        commits.reach(&rule, 1, offset + 1).await;
        assert_eq!(commits.now().await, [(1, offset + 1)].into());
    }
    let seen = |event: &Event| match event.seen {
        Seen::Committed { partition, offset, .. } => Some((partition, offset)),
        _ => None,
    };
    let committed: Vec<_> = trial.history().events().iter().filter_map(seen).collect();
    assert_eq!(committed, [(1, 1), (1, 2)]);
    trial.passed()
}

#[tokio::test]
async fn a_group_that_never_committed_has_no_offset() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("To read is not to commit");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 1).await;
    let consumer = subscribed(&member_settings(kafka.settings(), &group), &orders);
    assert_eq!(next(&rule, &consumer).await, (0, 0));
    assert!(kafka.commits(&group, &orders).now().await.is_empty());
    let mut partition = TopicPartitionList::new();
    partition.add_partition(&orders.name, 0);
    let offsets = consumer.committed_offsets(partition, testkit::bound()).unwrap();
    assert_eq!(offsets.elements()[0].offset(), Offset::Invalid);
    trial.passed()
}

#[tokio::test]
async fn the_next_member_begins_at_the_committed_offset() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A group goes on where it was committed");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 4).await;
    let settings = member_settings(kafka.settings(), &group);
    let first = subscribed(&settings, &orders);
    for _ in 0..3 {
        next(&rule, &first).await;
    }
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(&orders.name, 0, Offset::Offset(1)).unwrap();
    first.commit(&offsets, CommitMode::Sync).unwrap();
    drop((offsets, first));
    let second = subscribed(&settings, &orders);
    assert_eq!(next(&rule, &second).await, (0, 1), "three were read, one was committed");
    trial.passed()
}

#[tokio::test]
async fn a_group_without_commits_begins_where_it_is_told_to() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("auto.offset.reset decides");
    let kafka = Kafka::start(&trial).await;
    let orders = kafka.topic("orders", 1).await;
    kafka.produce_many(&orders, 0, 2).await;
    let mut settings = member_settings(kafka.settings(), &kafka.group("late"));
    settings.set("auto.offset.reset", "latest");
    let late = crate::support::Member::join(&settings, &orders);
    late.has(&rule, [0]).await;
    // Where it begins is asked for after the assignment. What it reads first is one of these, and no earlier one.
    let mut late = late;
    let first = async {
        loop {
            tokio::select! {
                record = late.records.recv() => break record,
                _ = async {
                    kafka.produce_many(&orders, 0, 1).await;
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                } => {}
            }
        }
    };
    let (_, offset) = rule.within("a record", first).await.expect("it reads as long as it lives");
    assert!(offset >= 2, "{offset}");
    trial.passed()
}
