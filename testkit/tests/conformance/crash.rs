//! A member that is killed.

use crate::support::{Member, member_settings, next, subscribed};
use rdkafka::{
    Message as _,
    consumer::{CommitMode, Consumer as _},
};
use testkit::{
    Passed, Trial, Victim,
    kafka::{Kafka, Topic, settings_at},
};

#[tokio::test]
async fn what_a_killed_member_had_not_committed_comes_again() -> Passed {
    let trial = Trial::start("conformance");
    let rule = trial.rule("What was not committed comes again");
    if let Some(arguments) = Victim::arguments() {
        let [bootstrap, group, name] = &arguments[..] else { panic!("{arguments:?}") };
        let orders = Topic { name: name.clone(), label: "orders".into(), partitions: 1 };
        let consumer = subscribed(&member_settings(settings_at(bootstrap), group), &orders);
        let first = rule.within("a record", consumer.recv()).await.unwrap();
        consumer.commit_message(&first, CommitMode::Sync).unwrap();
        let (_, offset) = next(&rule, &consumer).await;
        Victim::say(&format!("committed {}, read {offset}", first.offset() + 1));
        std::future::pending::<()>().await;
    }
    let kafka = Kafka::start(&trial).await;
    let (orders, group) = (kafka.topic("orders", 1).await, kafka.group("shop"));
    kafka.produce_many(&orders, 0, 3).await;
    let test = "crash::what_a_killed_member_had_not_committed_comes_again";
    let mut victim = Victim::start(&trial, test, &[kafka.bootstrap(), &group, &orders.name]);
    assert_eq!(victim.says(&rule, "a commit").await, "committed 1, read 1");
    let mut second = Member::join(&member_settings(kafka.settings(), &group), &orders);
    victim.kill(&trial);
    let first = rule.within("a record", second.records.recv()).await;
    assert_eq!(first, Some((0, 1)));
    trial.passed()
}
