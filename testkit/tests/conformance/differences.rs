//! What the embedded broker does otherwise than Kafka. No suite leans on these; the list stands in the docs of
//! `testkit::kafka`.

use crate::support::{Member, eventually, member_settings, subscribed};
use rdkafka::{
    ClientConfig, ClientContext, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance, StreamConsumer},
    error::{KafkaError, KafkaResult},
    producer::{FutureProducer, FutureRecord, Producer as _},
    types::RDKafkaErrorCode,
};
use std::{
    sync::mpsc::{Sender, channel},
    time::Duration,
};
use testkit::{
    Passed, Trial, bound,
    kafka::{Backend, Kafka, Record, Topic},
};
use tokio::time::Instant;

fn is_mock(kafka: &Kafka) -> bool {
    kafka.backend() == Backend::Embedded
}

fn at(topic: &Topic, partition: i32, offset: i64) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic.name, partition, Offset::Offset(offset)).unwrap();
    list
}

/// Commits offset 1 of partition 0 when its partitions are revoked, and tells what came of it.
struct CommitsOnRevoke {
    topic: Topic,
    result: Sender<KafkaResult<()>>,
}

impl ClientContext for CommitsOnRevoke {}

impl ConsumerContext for CommitsOnRevoke {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Revoke(_)) {
            let _ = self.result.send(consumer.commit(&at(&self.topic, 0, 1), CommitMode::Sync));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_in_an_eager_revoke_is_refused() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("Kafka takes a commit while the group is shared out anew");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 2).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 1).await;
    let settings = member_settings(kafka.settings(), &group);
    let (sender, results) = channel();
    let context = CommitsOnRevoke { topic: orders.clone(), result: sender };
    let first: StreamConsumer<_> = settings.create_with_context(context).unwrap();
    first.subscribe(&[&orders.name]).unwrap();
    drop(rule.within("a record", first.recv()).await.unwrap());
    let _second = Member::join(&settings, &orders);
    let revoked = async {
        loop {
            tokio::select! {
                _ = first.recv() => {}
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
            if let Ok(result) = results.try_recv() {
                break result;
            }
        }
    };
    let result = rule.within("the second member takes its share", revoked).await;
    match is_mock(&kafka) {
        // RebalanceInProgress, or IllegalGeneration when it has not waited for the member and gone on.
        true => assert!(result.is_err(), "{result:?}"),
        false => assert_eq!(result, Ok(())),
    }
    trial.passed()
}

#[tokio::test]
async fn a_group_that_a_member_has_left_waits_nearly_a_session_timeout() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("Whoever leaves a group of Kafka's leaves at once");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    let mut settings = member_settings(kafka.settings(), &group);
    // Long for Kafka: a member that just vanished would keep its partition for longer than anybody waits here.
    let session = if is_mock(&kafka) { "2000" } else { "60000" };
    settings.set("session.timeout.ms", session);
    let first = Member::join(&settings, &orders);
    first.has(&rule, [0]).await;
    let began = Instant::now();
    drop(first);
    let second = Member::join(&settings, &orders);
    second.has(&rule, [0]).await;
    if is_mock(&kafka) {
        assert!(began.elapsed() >= Duration::from_millis(900), "a second less: {:?}", began.elapsed());
    }
    trial.passed()
}

#[tokio::test]
async fn an_aborted_record_is_read() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("Kafka hides what was aborted");
    let kafka = Kafka::start(&trial).await;
    if kafka.backend() == Backend::External {
        return trial.not_gradable("a cluster of one node has transactions only when it is told to");
    }
    let orders = kafka.topic("orders", 1).await;
    let mut settings = kafka.settings();
    let producer: FutureProducer = settings.set("transactional.id", kafka.group("tx")).create().unwrap();
    let producer = tokio::task::spawn_blocking(move || {
        producer.init_transactions(bound()).unwrap();
        producer.begin_transaction().unwrap();
        producer
    });
    let producer = producer.await.unwrap();
    let aborted = FutureRecord::<str, str>::to(&orders.name).partition(0).payload("aborted");
    rule.within("an acknowledgement", producer.send(aborted, bound())).await.unwrap();
    tokio::task::spawn_blocking(move || producer.abort_transaction(bound()).unwrap()).await.unwrap();
    kafka.produce(&orders, &Record::to(0).payload("after")).await;
    // Readers are `read_committed` unless they say otherwise.
    let first = kafka.read(&orders).next(&rule).await.payload.unwrap();
    assert_eq!(String::from_utf8(first).unwrap(), if is_mock(&kafka) { "aborted" } else { "after" });
    trial.passed()
}

#[tokio::test]
async fn an_admin_cannot_create_a_topic() -> Passed {
    let trial = Trial::start("conformance");
    let kafka = Kafka::start(&trial).await;
    let admin: AdminClient<DefaultClientContext> = kafka.settings().create().unwrap();
    // A name that is swept, should this test be killed.
    let name = kafka.group("created");
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(1)));
    let created = admin.create_topics(&[NewTopic::new(&name, 1, TopicReplication::Fixed(1))], &options).await;
    if is_mock(&kafka) {
        assert!(created.is_err(), "{created:?}");
    } else {
        assert_eq!(created.unwrap(), [Ok(name.clone())]);
        assert_eq!(admin.delete_topics(&[&name], &options).await.unwrap(), [Ok(name)]);
    }
    trial.passed()
}

#[tokio::test]
async fn groups_cannot_be_listed() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("Kafka tells who is a member of a group");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    let consumer = Member::join(&member_settings(kafka.settings(), &group), &orders);
    consumer.has(&rule, [0]).await;
    let mut config: ClientConfig = kafka.settings();
    let look: BaseConsumer = config.set("group.id", "unused").create().unwrap();
    // A client that begins with the list sits there for a second.
    look.fetch_metadata(Some(&orders.name), bound()).unwrap();
    let list = look.fetch_group_list(Some(&group), bound());
    let members =
        list.map(|list| list.groups().iter().map(|group| group.members().len()).collect::<Vec<_>>());
    match is_mock(&kafka) {
        true => assert!(members.is_err(), "{members:?}"),
        false => assert_eq!(members, Ok(vec![1])),
    }
    trial.passed()
}

#[tokio::test]
async fn a_topic_comes_to_be_when_it_is_written_to() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("Kafka as labs start it makes no topic by itself");
    let kafka = Kafka::start(&trial).await;
    let mut settings = kafka.settings();
    let producer: FutureProducer = settings.set("message.timeout.ms", "1000").create().unwrap();
    let name = kafka.group("nowhere");
    let sent = producer.send(FutureRecord::<str, str>::to(&name).payload("p"), bound());
    let sent = rule.within("an answer", sent).await.map(|_| ()).map_err(|(error, _)| error);
    match kafka.backend() {
        Backend::Embedded => assert_eq!(sent, Ok(())),
        // The client hopes for half a minute that the topic comes, if its messages live that long.
        Backend::Docker => {
            assert_eq!(sent, Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)));
        }
        // As its owner has set it.
        Backend::External => {}
    }
    trial.passed()
}

#[tokio::test]
async fn nobody_but_a_member_commits_for_a_group_that_had_members() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("Kafka lets an empty group be committed for from outside");
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 2).await;
    let settings = member_settings(kafka.settings(), &group);
    let outside = || {
        let consumer: BaseConsumer = settings.create().unwrap();
        let result = consumer.commit(&at(&orders, 0, 1), CommitMode::Sync);
        // The list is gone before its consumer.
        result
    };
    assert_eq!(outside(), Ok(()), "a group that nobody has joined yet");
    let member = subscribed(&settings, &orders);
    assert_eq!(crate::support::next(&rule, &member).await, (0, 1));
    drop(member);
    match is_mock(&kafka) {
        true => assert!(outside().is_err()),
        false => eventually(&rule, "the group is empty", || outside().is_ok()).await,
    }
    trial.passed()
}

#[tokio::test]
async fn offsets_are_not_found_by_time() -> Passed {
    let trial = Trial::start("conformance");
    let kafka = Kafka::start(&trial).await;
    let orders = kafka.topic("orders", 1).await;
    for millis in [1000, 2000, 3000] {
        kafka.produce(&orders, &Record::to(0).timestamp(millis)).await;
    }
    let mut config: ClientConfig = kafka.settings();
    let look: BaseConsumer = config.set("group.id", "unused").create().unwrap();
    let found = look.offsets_for_times(at(&orders, 0, 1500), bound()).unwrap();
    let expected = if is_mock(&kafka) { Offset::End } else { Offset::Offset(1) };
    assert_eq!(found.elements()[0].offset(), expected);
    trial.passed()
}
