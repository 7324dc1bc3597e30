//! Members join, leave, and are thrown out.

use crate::support::{Member, eventually, member_settings, next, subscribed};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _},
    error::KafkaError,
    types::RDKafkaErrorCode,
};
use testkit::{
    Passed, Trial,
    kafka::{Kafka, Record},
};

#[tokio::test]
async fn a_second_member_takes_its_share_and_gives_it_back() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A group shares out its partitions");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 2).await, kafka.group("shop"));
    let settings = member_settings(kafka.settings(), &group);
    let mut first = Member::join(&settings, &orders);
    first.has(&rule, [0, 1]).await;
    let place = kafka.produce(&orders, &Record::to(0)).await;
    first.reads(&rule, &place).await;

    let mut second = Member::join(&settings, &orders);
    // Which of the two each has is the leader's to say.
    let one_each = async {
        tokio::select! {
            ((), ()) = async { tokio::join!(first.has(&rule, [0]), second.has(&rule, [1])) } => true,
            ((), ()) = async { tokio::join!(first.has(&rule, [1]), second.has(&rule, [0])) } => false,
        }
    };
    let in_order = one_each.await;
    let place = kafka.produce(&orders, &Record::to(i32::from(in_order))).await;
    second.reads(&rule, &place).await;
    let place = kafka.produce(&orders, &Record::to(i32::from(!in_order))).await;
    first.reads(&rule, &place).await;

    drop(second);
    first.has(&rule, [0, 1]).await;
    for partition in [0, 1] {
        let place = kafka.produce(&orders, &Record::to(partition)).await;
        first.reads(&rule, &place).await;
    }
    trial.passed()
}

#[tokio::test]
async fn who_does_not_poll_is_thrown_out_and_may_come_back() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A member has to poll");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 2).await;
    let mut settings = member_settings(kafka.settings(), &group);
    // The least that the client takes.
    let session = settings.get("session.timeout.ms").expect("it is set").to_owned();
    settings.set("max.poll.interval.ms", session);
    let consumer = subscribed(&settings, &orders);
    let first = rule.within("a record", consumer.recv()).await.unwrap().detach();
    assert_eq!(first.offset(), 0);

    eventually(&rule, "the member is thrown out", || consumer.assignment_lost()).await;
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(&orders.name, 0, Offset::Offset(1)).unwrap();
    let refused = consumer.commit(&offsets, CommitMode::Sync).unwrap_err();
    drop(offsets);
    assert_eq!(refused, KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownMemberId));
    let told = rule.within("an error", consumer.recv()).await.map(|_| "a record").unwrap_err();
    assert_eq!(told, KafkaError::MessageConsumption(RDKafkaErrorCode::PollExceeded));
    assert_eq!(next(&rule, &consumer).await, (0, 0), "it was not committed and comes again");
    trial.passed()
}
