//! A broker is left as it was found. The embedded one goes with its test.

use crate::support::{Member, eventually, member_settings};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use testkit::{
    Passed, Rule, Trial, bound,
    kafka::{Backend, Kafka, settings_at},
};

/// What a broker has whose names begin like this.
struct Look(BaseConsumer);

impl Look {
    fn at(bootstrap: &str) -> Self {
        let mut config: ClientConfig = settings_at(bootstrap);
        Self(config.set("group.id", "unused").create().unwrap())
    }

    fn names(&self) -> Vec<String> {
        let topics = self.0.fetch_metadata(None, bound()).unwrap();
        let groups = self.0.fetch_group_list(None, bound()).unwrap();
        let topics = topics.topics().iter().map(|topic| topic.name().to_owned());
        topics.chain(groups.groups().iter().map(|group| group.name().to_owned())).collect()
    }

    /// Kafka answers a deletion before it has forgotten the topic.
    async fn sees_nothing_of(&self, rule: &Rule<'_>, ours: &[&str]) {
        let gone = || !self.names().iter().any(|name| ours.contains(&name.as_str()));
        eventually(rule, format_args!("{ours:?} are gone"), gone).await;
    }
}

#[tokio::test]
async fn topics_and_groups_go_with_the_test_even_when_it_fails() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("A broker is left as it was found");
    for fails in [false, true] {
        let kafka = Kafka::start(&trial).await;
        if kafka.backend() == Backend::Embedded {
            break;
        }
        let look = Look::at(kafka.bootstrap());
        let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
        let refusing = kafka.topic_that_refuses("dead").await;
        kafka.produce_many(&orders, 0, 1).await;
        let mut member = Member::join(&member_settings(kafka.settings(), &group), &orders);
        rule.within("a record", member.records.recv()).await;
        let ours = [orders.name.as_str(), &group, &refusing.name];
        assert!(ours.iter().all(|name| look.names().contains(&(*name).to_owned())), "they are there before");
        let test = || {
            // As in a suite: what is younger goes first.
            let (_kafka, _member) = (kafka, member);
            assert!(!fails, "this is meant to fail");
        };
        assert_eq!(catch_unwind(AssertUnwindSafe(test)).is_err(), fails);
        look.sees_nothing_of(&rule, &ours).await;
    }
    trial.passed()
}

#[tokio::test]
async fn what_a_killed_test_left_is_swept_after_an_hour() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("What a killed test left goes");
    let kafka = Kafka::start(&trial).await;
    if kafka.backend() == Backend::Embedded {
        return trial.passed();
    }
    let look = Look::at(kafka.bootstrap());
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let left =
        |ago: u64, what: &str| format!("grpc-kafka-labs.{}.{:x}.{what}", now - ago, std::process::id());
    let names = [left(3700, "orders"), left(3700, "shop"), left(3000, "orders"), left(3000, "shop")];
    let admin: AdminClient<DefaultClientContext> = kafka.settings().create().unwrap();
    // Each comes to be in one step: other tests are sweeping as well.
    let something = kafka.topic("something", 1).await;
    for pair in names.chunks(2) {
        let [topic, group] = pair else { unreachable!() };
        let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
        admin.create_topics(&[new], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
        let consumer: BaseConsumer = kafka.settings().set("group.id", group).create().unwrap();
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(&something.name, 0, Offset::Offset(0)).unwrap();
        consumer.commit(&offsets, CommitMode::Sync).unwrap();
        drop(offsets);
    }
    let young_are_there = || names[2..].iter().all(|name| look.names().contains(name));
    eventually(&rule, "the broker knows what was made", young_are_there).await;
    drop(kafka);
    look.sees_nothing_of(&rule, &[&names[0], &names[1]]).await;
    assert!(young_are_there(), "others may be at work: {:?}", look.names());
    admin.delete_topics(&[&names[2]], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    admin.delete_groups(&[&names[3]], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    trial.passed()
}
