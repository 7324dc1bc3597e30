//! A broker for a suite: real Kafka in a container, an embedded one in this process, or any cluster.
//!
//! A suite is written once. [`Kafka::start`] finds the broker that the grader provides, hands out topics and groups
//! that no other test has, and client settings with which groups form quickly. What the suite wants to know it
//! reads from the broker: [`Kafka::commits`] and [`Kafka::read`] look from outside.
//!
//! # What the embedded broker does otherwise than Kafka
//!
//! No suite leans on these. Each is shown by a test in `tests/conformance/differences.rs`, on both.
//!
//! - A commit in the revoke of an eager rebalance is refused, as `RebalanceInProgress` or `IllegalGeneration`.
//! - It does not wait for the members it knows: a rebalance takes the session timeout less a second, and who has not
//!   polled by then has lost its partitions to others. With [`Kafka::settings`] that is 0.2 s.
//! - Transactions are there in name only: what was aborted is read, also by `read_committed`.
//! - Topics cannot be created by an admin client, and groups cannot be listed.
//! - A topic that is written to comes to be. Kafka as the labs start it makes none by itself.
//! - Once a group has had members, nobody else commits for it, also when they are gone.
//! - Offsets are not found by time.
//! - A topic has no settings: [`Kafka::topic_that_refuses`] forbids to write where Kafka finds each record too large.

mod backend;
mod clean;
mod embedded;
mod faults;
mod observe;
mod record;
mod unusable;

pub use backend::Backend;
pub use faults::Faults;
pub use observe::{Commits, Reader};
pub use record::{Record, Topic};

use crate::{History, Place, Seen, Trial, report};
use backend::Address;
use embedded::Embedded;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    producer::{FutureProducer, FutureRecord},
    types::RDKafkaRespErr,
};
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};
use unusable::{OrUnusable as _, patience};

/// What every name of ours on a broker begins with.
const PREFIX: &str = "grpc-kafka-labs";

/// One test's view of a broker. When it is dropped, its topics and groups go, unless the broker goes with it.
pub struct Kafka {
    backend: Backend,
    bootstrap: String,
    /// Before `embedded`: clients go before their broker does.
    producer: FutureProducer,
    /// Made when it is first asked: the embedded broker can do without, and every client costs threads.
    admin: OnceLock<AdminClient<DefaultClientContext>>,
    embedded: Option<Embedded>,
    history: History,
    /// Unique to this test: `grpc-kafka-labs.<seconds since 1970>.<random>`.
    run: String,
    names: Mutex<clean::Names>,
}

impl Kafka {
    /// The broker that the grader provides.
    ///
    /// # Panics
    /// When there is none that answers: then nothing can be said about anybody's code.
    pub async fn start(trial: &Trial) -> Self {
        report::write(&report::Line::AsksForBroker);
        Self::at(trial, Address::from_environment())
    }

    /// A broker that can be made to fail, see [`Kafka::faults`]. `None` when the grader was told to use a cluster that
    /// is not ours: end the test with [`Trial::not_gradable`].
    pub async fn with_faults(trial: &Trial) -> Option<Self> {
        match Address::from_environment() {
            Address::Listening { backend: Backend::External, .. } => None,
            _ => Some(Self::at(trial, Address::Embedded)),
        }
    }

    fn at(trial: &Trial, address: Address) -> Self {
        let (backend, bootstrap, embedded) = match address {
            Address::Listening { backend, bootstrap } => (backend, bootstrap, None),
            Address::Embedded => {
                let embedded = Embedded::start().or_unusable("the embedded broker starts");
                let bootstrap = embedded.cluster().bootstrap_servers();
                (Backend::Embedded, bootstrap, Some(embedded))
            }
        };
        let config = client_config(&bootstrap);
        let seconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs());
        let random = RandomState::new().hash_one(seconds);
        Self {
            backend,
            producer: config.create().expect("a producer for the suite"),
            admin: OnceLock::new(),
            bootstrap,
            embedded,
            history: trial.history().clone(),
            run: format!("{PREFIX}.{seconds}.{random:016x}"),
            names: Mutex::default(),
        }
    }

    /// Which kind of broker this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Its address, for `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Settings for the clients of code under test: the address, and intervals with which groups form and notice a
    /// dead member within about a second, where the broker allows that. What concerns delivery is left at librdkafka's
    /// defaults.
    pub fn settings(&self) -> ClientConfig {
        client_settings(self.backend, &self.bootstrap)
    }

    /// A new topic.
    ///
    /// # Panics
    /// When the broker does not create it.
    pub async fn topic(&self, label: &str, partitions: i32) -> Topic {
        self.topic_with(label, partitions, &[]).await
    }

    /// A new topic with settings such as `max.message.bytes`. The embedded broker knows no settings of a topic.
    async fn topic_with(&self, label: &str, partitions: i32, config: &[(&str, &str)]) -> Topic {
        let topic = Topic { name: format!("{}.{label}", self.run), label: label.to_owned(), partitions };
        if let Some(embedded) = &self.embedded {
            let created = embedded.cluster().create_topic(&topic.name, partitions, 1);
            created.or_unusable("a topic is created");
        } else {
            self.names().topics.push(topic.name.clone());
            let mut new = NewTopic::new(&topic.name, partitions, TopicReplication::Fixed(-1));
            new.config.extend_from_slice(config);
            let options =
                AdminOptions::new().operation_timeout(Some(patience())).request_timeout(Some(patience()));
            let created =
                self.admin().create_topics(&[new], &options).await.or_unusable("a topic is created");
            created.into_iter().for_each(|topic| _ = topic.or_unusable("a topic is created"));
            self.wait_for(&topic).await;
        }
        topic
    }

    /// Waits until clients find a topic. The controller has created it before the broker knows of it, and who
    /// subscribes in between is told that there is none.
    async fn wait_for(&self, topic: &Topic) {
        let partitions = usize::try_from(topic.partitions).expect("it has partitions");
        let is_there = || {
            let metadata =
                self.admin().inner().fetch_metadata(Some(&topic.name), Duration::from_secs(1)).ok()?;
            let led =
                metadata.topics().first()?.partitions().iter().filter(|partition| partition.leader() >= 0);
            (led.count() == partitions).then_some(())
        };
        let asking = async {
            while is_there().is_none() {
                // Metadata has no news to wait for: clients ask again as well.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(patience(), asking).await.or_unusable("a new topic is found");
    }

    /// A new topic whose records the broker refuses, for good: it allows none that large, or forbids to write.
    ///
    /// # Panics
    /// When the broker does not create it.
    pub async fn topic_that_refuses(&self, label: &str) -> Topic {
        let topic = self.topic_with(label, 1, &[("max.message.bytes", "1")]).await;
        if let Some(embedded) = &self.embedded {
            let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
            embedded.cluster().topic_error(&topic.name, error).expect("the mock broker refuses a topic");
        }
        topic
    }

    /// A name for a consumer group that no other test has.
    pub fn group(&self, label: &str) -> String {
        let group = format!("{}.{label}", self.run);
        if self.embedded.is_none() {
            self.names().groups.push(group.clone());
        }
        group
    }

    /// Appends a record and waits until the broker has it.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub async fn produce(&self, topic: &Topic, record: &Record) -> Place {
        let mut new = FutureRecord::<[u8], [u8]>::to(&topic.name).partition(record.partition);
        new.key = record.key.as_deref();
        new.payload = record.payload.as_deref();
        new.timestamp = record.timestamp;
        new.headers = record.owned_headers();
        let delivery = self.producer.send(new, patience()).await.map_err(|(error, _)| error);
        let delivery = delivery.or_unusable("a record is taken");
        let place =
            Place { topic: topic.label.clone(), partition: delivery.partition, offset: delivery.offset };
        let key = record.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        self.history.record(Seen::Produced { record: place.clone(), key });
        place
    }

    /// Appends records `key=k0`, `k1`, … with payloads `r0`, `r1`, … to a partition.
    pub async fn produce_many(&self, topic: &Topic, partition: i32, count: usize) {
        for n in 0..count {
            let record = Record::to(partition).key(format!("k{n}")).payload(format!("r{n}"));
            self.produce(topic, &record).await;
        }
    }

    /// From now on writes each new committed offset of a group into the history, as the broker has it.
    pub fn commits(&self, group: &str, topic: &Topic) -> Commits {
        Commits::watch(self, group, topic)
    }

    /// Reads a topic from its beginning, outside every group.
    pub fn read(&self, topic: &Topic) -> Reader {
        Reader::start(self, topic)
    }

    /// What can be made to fail. `None` on a broker that is not embedded.
    pub fn faults(&self) -> Option<Faults<'_>> {
        self.embedded.as_ref().map(|embedded| Faults::new(embedded, &self.history))
    }

    fn admin(&self) -> &AdminClient<DefaultClientContext> {
        self.admin
            .get_or_init(|| client_config(&self.bootstrap).create().expect("an admin client for the suite"))
    }

    fn names(&self) -> std::sync::MutexGuard<'_, clean::Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same as [`Kafka::settings`] for a process that has no [`Kafka`] of its own, such as a
/// [`Victim`](crate::Victim), which its suite tells the address.
pub fn settings_at(bootstrap: &str) -> ClientConfig {
    let backend = match Address::from_environment() {
        Address::Listening { backend, .. } => backend,
        Address::Embedded => Backend::Embedded,
    };
    client_settings(backend, bootstrap)
}

fn client_settings(backend: Backend, bootstrap: &str) -> ClientConfig {
    let session = match backend {
        Backend::Docker | Backend::Embedded => "1200",
        // The least that Kafka takes unless it is told otherwise (`group.min.session.timeout.ms`).
        Backend::External => "6000",
    };
    let mut config = client_config(bootstrap);
    config.set("session.timeout.ms", session).set("heartbeat.interval.ms", "100");
    config
}

/// Settings that every client here shares.
fn client_config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("fetch.wait.max.ms", "25");
    // With the default of ten seconds a broker that is back is noticed only after a while.
    config.set("reconnect.backoff.ms", "20").set("reconnect.backoff.max.ms", "200");
    config
}
