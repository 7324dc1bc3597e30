// What most tests begin with: a broker, topics, and code under test that consumes them.

use crate::scripted::Scripted;
use lab_02_retry_consumer::{DeadLetterQueue, RetryConsumer, RetryPolicy, RunError};
use rdkafka::ClientConfig;
use std::{fmt::Display, time::Duration};
use testkit::{
    History, Place, Rule, Running, Seen, Trial,
    kafka::{Backend, Commits, Kafka, Reader, Record, Topic},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Three retries that come quickly.
pub const QUICK: RetryPolicy = RetryPolicy {
    max_retries: 3,
    retry_delay: Duration::from_millis(20),
    max_delay: Duration::from_millis(100),
};

/// A record is tried again every 30 to 60 ms and never given up.
pub const RESTLESS: RetryPolicy = RetryPolicy {
    max_retries: u32::MAX,
    retry_delay: Duration::from_millis(60),
    max_delay: Duration::from_millis(60),
};

/// Retries for which no test waits.
pub const PATIENT: RetryPolicy = RetryPolicy {
    max_retries: 3,
    retry_delay: Duration::from_secs(3600),
    max_delay: Duration::from_secs(3600),
};

/// A partition of `orders` that stays empty. While nothing at all is being fetched, librdkafka takes up to a second to
/// notice that a paused partition goes on.
pub const AND_AN_EMPTY_ONE: i32 = 1;

/// A broker with a topic `orders`, a topic for dead letters, and a group.
pub struct Scene {
    pub orders: Topic,
    /// What the code under test consumes: `orders`, and what a test adds.
    pub topics: Vec<Topic>,
    pub dead: Topic,
    pub group: String,
    history: History,
    /// Last: everything else talks to it.
    pub kafka: Kafka,
}

impl Scene {
    pub async fn start(trial: &Trial, partitions: i32) -> Self {
        Self::on(trial, Kafka::start(trial).await, partitions).await
    }

    /// A scene with a broker that can be made to fail, if there is one.
    pub async fn with_faults(trial: &Trial, partitions: i32) -> Option<Self> {
        Some(Self::on(trial, Kafka::with_faults(trial).await?, partitions).await)
    }

    async fn on(trial: &Trial, kafka: Kafka, partitions: i32) -> Self {
        let (orders, dead) = tokio::join!(kafka.topic("orders", partitions), kafka.topic("dead", 1));
        let group = kafka.group("shop");
        Self { topics: vec![orders.clone()], orders, dead, group, history: trial.history().clone(), kafka }
    }

    /// Appends so many records to a partition of `orders`.
    pub async fn produce(&self, partition: i32, count: usize) {
        self.kafka.produce_many(&self.orders, partition, count).await;
    }

    /// What the group commits in `orders`.
    pub fn commits(&self) -> Commits {
        self.kafka.commits(&self.group, &self.orders)
    }

    /// The dead letters.
    pub fn letters(&self) -> Letters {
        Letters { reader: self.kafka.read(&self.dead), read: 0, history: self.history.clone() }
    }

    /// Starts the only member of the group: however busy the machine is, nobody takes it for dead.
    pub fn member(&self, handler: &Scripted, policy: RetryPolicy) -> Member {
        self.member_with(handler, policy, &[("session.timeout.ms", "20000")])
    }

    /// Starts one of several members, side by side or one after another, which all leave when they end. Nobody is taken
    /// for dead, however busy the machine is, unless the broker is the embedded one: for every change of a group it
    /// takes this time less a second.
    pub fn member_among(&self, handler: &Scripted, policy: RetryPolicy) -> Member {
        let patience = if self.kafka.backend() == Backend::Embedded { "1700" } else { "20000" };
        self.member_with(handler, policy, &[("session.timeout.ms", patience)])
    }

    /// Starts a member of the group with settings of its own. Without any, the group notices within about a second that
    /// a member is gone.
    pub fn member_with(&self, handler: &Scripted, policy: RetryPolicy, settings: &[(&str, &str)]) -> Member {
        let mut config = self.kafka.settings();
        for (key, value) in settings {
            config.set(*key, *value);
        }
        let topics = self.topics.iter().map(|topic| topic.name.clone()).collect();
        let shutdown = CancellationToken::new();
        let ours =
            Consumes { config, group: self.group.clone(), topics, dead: self.dead.name.clone(), policy };
        let (handler, token) = (handler.clone(), shutdown.clone());
        let run = Running::start("RetryConsumer::run", move || ours.run(handler, token));
        let ends_with_the_test = shutdown.clone().drop_guard();
        Member { run, shutdown, history: self.history.clone(), ends_with_the_test }
    }
}

/// Looks for something that must not happen, for a while: it ends early when it did. What right code does is the same
/// however long one looks.
pub async fn not_seen<T>(wrong: impl Future<Output = T>) -> bool {
    tokio::time::timeout(Duration::from_millis(250), wrong).await.is_err()
}

/// What a consumer is made of.
pub struct Consumes {
    pub config: ClientConfig,
    pub group: String,
    pub topics: Vec<String>,
    pub dead: String,
    pub policy: RetryPolicy,
}

impl Consumes {
    pub async fn run(
        self,
        handler: impl lab_02_retry_consumer::Handler,
        shutdown: CancellationToken,
    ) -> Result<(), RunError> {
        let letters =
            DeadLetterQueue::new(&self.config, &self.dead).expect("DeadLetterQueue::new returns Ok");
        let topics: Vec<_> = self.topics.iter().map(String::as_str).collect();
        let consumer = RetryConsumer::new(&self.config, &self.group, &topics, self.policy, letters, handler);
        consumer.expect("RetryConsumer::new returns Ok").run(shutdown).await
    }
}

/// Code under test that consumes. It is told to end when the test does.
pub struct Member {
    run: Running<Result<(), RunError>>,
    pub shutdown: CancellationToken,
    history: History,
    ends_with_the_test: DropGuard,
}

impl Member {
    /// Waits for something that must happen while it runs.
    pub async fn until<F: Future>(&mut self, rule: &Rule<'_>, expected: impl Display, event: F) -> F::Output {
        self.run.until(rule, expected, event).await
    }

    /// Asks it to end.
    pub fn stop(&self) {
        self.history.did("shutdown is cancelled");
        self.shutdown.cancel();
    }

    /// Waits for its end, and returns what `run` did.
    pub async fn ends(self, rule: &Rule<'_>, expected: impl Display) -> Result<(), RunError> {
        let ended = self.run.ends(rule, expected).await;
        // It has ended already, and a test may look whether the token was left as it was.
        self.ends_with_the_test.disarm();
        self.history.did(match &ended {
            Ok(()) => "run returns Ok".to_owned(),
            Err(error) => format!("run returns an error: {error}"),
        });
        ended
    }

    /// Asks it to end, and waits until it has, without an error.
    pub async fn ends_well(self, rule: &Rule<'_>) {
        self.stop();
        self.returns_ok(rule).await;
    }

    /// Waits until it has ended, without an error.
    pub async fn returns_ok(self, rule: &Rule<'_>) {
        let ended = self.ends(rule, "run returns after the shutdown").await;
        rule.holds(ended.is_ok(), "run returns Ok after the shutdown", format_args!("{ended:?}"));
    }
}

/// Dead letters as they come.
pub struct Letters {
    reader: Reader,
    read: i64,
    history: History,
}

impl Letters {
    pub async fn next(&mut self, rule: &Rule<'_>) -> Record {
        let letter = self.reader.next(rule).await;
        let text = |name| letter.header_text(name).unwrap_or_default();
        let number = |name| text(name).parse().unwrap_or(-1);
        let record = Place {
            topic: text("original-topic").rsplit('.').next().unwrap_or_default().to_owned(),
            partition: number("original-partition"),
            offset: number("original-offset").into(),
        };
        let at = Place { topic: "dead".into(), partition: letter.partition, offset: self.read };
        self.read += 1;
        self.history.record(Seen::DeadLettered { record, at });
        letter
    }

    /// Those that have come and were not taken.
    pub fn rest(&mut self) -> usize {
        self.reader.rest().len()
    }
}
