//! Looks at a broker from outside, without being a member of any group.

use super::{
    Kafka, Record, Topic,
    unusable::{patience, unusable},
};
use crate::{History, Rule, Seen, bound};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, watch};

/// Between two questions for committed offsets. The broker tells nobody of them, so it has to be asked.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// The longest wait for one answer. A broker that is down, or looks for the group's coordinator, is asked again.
const ASK_FOR: Duration = Duration::from_secs(1);

/// A thread that is told to end, and waited for, when this is dropped.
struct Worker {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Calls `step` again and again.
    fn start(mut step: impl FnMut() + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let work = move || {
            while !told.load(Ordering::Relaxed) {
                step();
            }
        };
        Self { over, thread: Some(thread::spawn(work)) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only reads; whatever it panicked with was printed.
            let _ = thread.join();
        }
    }
}

/// The committed offsets of one group in one topic, by partition. What was never committed is not there.
pub type Offsets = BTreeMap<i32, i64>;

/// Watches what a group has committed.
pub struct Commits {
    now: watch::Receiver<Offsets>,
    consumer: Arc<BaseConsumer>,
    topic: Topic,
    _worker: Worker,
}

impl Commits {
    pub(super) fn watch(kafka: &Kafka, group: &str, topic: &Topic) -> Self {
        // Without a subscription it asks for the group's offsets and is no member of it.
        let mut config = kafka.settings();
        config.set("group.id", group).set("enable.auto.commit", "false");
        let consumer: Arc<BaseConsumer> = Arc::new(config.create().expect("a consumer for the suite"));
        let (sender, now) = watch::channel(Offsets::new());
        let (asking, asked, history) = (Arc::clone(&consumer), topic.clone(), kafka.history.clone());
        let worker = Worker::start(move || {
            if let Some(offsets) = committed(&asking, &asked) {
                record(&history, &asked, &sender.borrow(), &offsets);
                sender.send_if_modified(|known| {
                    let news = *known != offsets;
                    *known = offsets;
                    news
                });
            }
            thread::sleep(ASK_EVERY);
        });
        Self { now, consumer, topic: topic.clone(), _worker: worker }
    }

    /// What the broker has now: it is asked after this was called.
    ///
    /// # Panics
    /// When the broker does not answer: then nothing can be said about anybody's code.
    pub async fn now(&self) -> Offsets {
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        let ask = move || {
            let began = Instant::now();
            loop {
                match committed(&consumer, &topic) {
                    Some(offsets) => break offsets,
                    None if began.elapsed() > patience() => unusable("it does not tell what is committed"),
                    None => thread::sleep(ASK_EVERY),
                }
            }
        };
        tokio::task::spawn_blocking(ask).await.expect("the broker tells its committed offsets")
    }

    /// Waits until the committed offsets are so. The bound is the caller's to set.
    pub async fn when(&self, so: impl FnMut(&Offsets) -> bool) {
        self.now.clone().wait_for(so).await.expect("the worker lives as long as this does");
    }

    /// Waits until a partition's committed offset is this one, or one beyond it.
    pub async fn reach(&self, rule: &Rule<'_>, partition: i32, offset: i64) {
        let expected = format!("{}/{partition} is committed up to offset {offset}", self.topic.label);
        let mut now = self.now.clone();
        let reached = now.wait_for(|offsets| offsets.get(&partition).is_some_and(|at| *at >= offset));
        match tokio::time::timeout(bound(), reached).await {
            Ok(reached) => drop(reached.expect("the worker lives as long as this does")),
            Err(_) => {
                let seen = match self.now.borrow().get(&partition) {
                    Some(offset) => format!("{}/{partition} = {offset}", self.topic.label),
                    None => "nothing was committed".to_owned(),
                };
                rule.broken(expected, format_args!("{seen}, for {} s", bound().as_secs()))
            }
        }
    }
}

fn record(history: &History, topic: &Topic, before: &Offsets, now: &Offsets) {
    for (&partition, &offset) in now {
        if before.get(&partition) != Some(&offset) {
            history.record(Seen::Committed { topic: topic.label.clone(), partition, offset });
        }
    }
}

/// Asks for a group's committed offsets. `None`: the broker did not answer.
fn committed(consumer: &BaseConsumer, topic: &Topic) -> Option<Offsets> {
    let mut wanted = TopicPartitionList::new();
    wanted.add_partition_range(&topic.name, 0, topic.partitions - 1);
    let offsets = consumer.committed_offsets(wanted, ASK_FOR).ok()?;
    let known = offsets.elements().into_iter().filter_map(|element| match element.offset() {
        Offset::Offset(offset) => Some((element.partition(), offset)),
        _ => None,
    });
    Some(known.collect())
}

/// Reads a topic as it grows.
pub struct Reader {
    records: mpsc::UnboundedReceiver<Record>,
    label: String,
    _worker: Worker,
}

impl Reader {
    pub(super) fn start(kafka: &Kafka, topic: &Topic) -> Self {
        let mut config = kafka.settings();
        // librdkafka wants a group even from a consumer that joins none.
        config.set("group.id", "unused").set("enable.auto.commit", "false");
        let mut from_the_start = TopicPartitionList::new();
        for partition in 0..topic.partitions {
            // The topic is the test's own and has lost none yet. To ask for its beginning costs half a second more.
            let added = from_the_start.add_partition_offset(&topic.name, partition, Offset::Offset(0));
            added.expect("zero is an offset");
        }
        let consumer: BaseConsumer = config.create().expect("a consumer for the suite");
        consumer.assign(&from_the_start).expect("the suite reads the topic");
        let (sender, records) = mpsc::unbounded_channel();
        let worker = Worker::start(move || {
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(10)) {
                // The reader went; this thread is about to be told.
                let _ = sender.send(Record::of(&message.detach()));
            }
        });
        Self { records, label: topic.label.clone(), _worker: worker }
    }

    /// The next record, in the order of its partition.
    pub async fn next(&mut self, rule: &Rule<'_>) -> Record {
        let expected = format!("a record in {}", self.label);
        let next = rule.within(expected, self.records.recv()).await;
        next.expect("the worker lives as long as this does")
    }

    /// What has been read and not been taken.
    pub fn rest(&mut self) -> Vec<Record> {
        std::iter::from_fn(|| self.records.try_recv().ok()).collect()
    }
}
