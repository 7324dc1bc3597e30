// Members of a group, as code under test would write them.

use rdkafka::{
    ClientConfig, Message as _,
    consumer::{CommitMode, Consumer as _, StreamConsumer},
};
use std::{collections::BTreeSet, fmt::Display, sync::Arc, time::Duration};
use testkit::{Place, Rule, Running, kafka::Topic};
use tokio::sync::mpsc;

/// Settings of a member that commits by hand and begins at the beginning.
pub fn member_settings(mut settings: ClientConfig, group: &str) -> ClientConfig {
    settings.set("group.id", group).set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
    settings
}

/// A consumer that has subscribed to a topic.
pub fn subscribed(settings: &ClientConfig, topic: &Topic) -> StreamConsumer {
    let consumer: StreamConsumer = settings.create().expect("a consumer");
    consumer.subscribe(&[&topic.name]).expect("it subscribes");
    consumer
}

/// The partition and offset of a consumer's next record.
pub async fn next(rule: &Rule<'_>, consumer: &StreamConsumer) -> (i32, i64) {
    let message = rule.within("a record", consumer.recv()).await.expect("a record and no error");
    (message.partition(), message.offset())
}

/// Waits until something that can only be asked for is so.
pub async fn eventually(rule: &Rule<'_>, expected: impl Display, mut so: impl FnMut() -> bool) {
    let asking = async {
        while !so() {
            // Between two questions, not instead of one: the wait ends with the answer.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    rule.within(expected, asking).await;
}

/// A member of a group that reads until it is dropped, and commits what it read.
pub struct Member {
    consumer: Arc<StreamConsumer>,
    pub records: mpsc::UnboundedReceiver<(i32, i64)>,
    _running: Running<()>,
}

impl Member {
    pub fn join(settings: &ClientConfig, topic: &Topic) -> Self {
        let consumer = Arc::new(subscribed(settings, topic));
        let (sender, records) = mpsc::unbounded_channel();
        let reader = Arc::clone(&consumer);
        let read = async move || {
            loop {
                // An error here is a rebalance; what was not committed in it comes again.
                let Ok(message) = reader.recv().await else { continue };
                let _ = reader.commit_message(&message, CommitMode::Async);
                let _ = sender.send((message.partition(), message.offset()));
            }
        };
        Self { consumer, records, _running: Running::start("a member", read) }
    }

    /// Waits until it has these partitions and no other.
    pub async fn has(&self, rule: &Rule<'_>, partitions: impl IntoIterator<Item = i32>) {
        let wanted: BTreeSet<_> = partitions.into_iter().collect();
        let assigned = || -> BTreeSet<i32> {
            let assignment = self.consumer.assignment().expect("it knows its assignment");
            assignment.elements().iter().map(|element| element.partition()).collect()
        };
        eventually(rule, format_args!("the member has partitions {wanted:?}"), || assigned() == wanted).await;
    }

    /// Waits until it has read this record.
    pub async fn reads(&mut self, rule: &Rule<'_>, record: &Place) {
        let reading = async {
            while let Some(read) = self.records.recv().await {
                if read == (record.partition, record.offset) {
                    return;
                }
            }
            panic!("the member reads as long as it lives");
        };
        rule.within(format_args!("the member reads {record}"), reading).await;
    }
}
