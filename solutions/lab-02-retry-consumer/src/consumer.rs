//! Reads records, has them handled, and commits what is finished.

use crate::{DeadLetterQueue, Handler, RetryPolicy};
// stub: drop
use crate::{Failure, HandlerError, Next, membership::Membership};
// stub: end
use rdkafka::{ClientConfig, error::KafkaError};
// stub: drop
use rdkafka::{
    Message as _, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::KafkaResult,
    message::OwnedMessage,
};
// stub: end
use std::{fmt, time::Duration};
// stub: drop
use std::{panic, pin::pin, sync::Arc, time::SystemTime};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::MissedTickBehavior,
};
use tokio_stream::StreamExt as _;
// stub: end
use tokio_util::sync::CancellationToken;

/// The longest time from a record's end to its commit, while the broker answers.
///
/// A call of the handler that is under way may put it off until its end. A commit for every record would be right too,
/// and some hundred times slower.
pub const COMMIT_INTERVAL: Duration = Duration::from_millis(200);

/// Why a run ended by itself.
#[derive(Debug)]
pub enum RunError {
    /// The client can never receive again (librdkafka calls such an error *fatal*).
    Receive(KafkaError),
    /// The broker refused a commit.
    Commit(KafkaError),
    /// A dead letter was not acknowledged.
    DeadLetter(KafkaError),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive(error) => write!(f, "the consumer failed for good: {error}"),
            Self::Commit(error) => write!(f, "the broker refused a commit: {error}"),
            Self::DeadLetter(error) => write!(f, "a dead letter was not acknowledged: {error}"),
        }
    }
}

impl std::error::Error for RunError {}

/// A member of a consumer group that hands each record of some topics to a [`Handler`].
///
/// # Guarantees
///
/// - **At least once.** An offset is committed only when every record before it in its partition is finished. A crash
///   at any moment loses nothing: what was not finished is read again.
/// - **In order.** The records of a partition are handled in the order of their offsets, one at a time. While one of
///   them waits for a retry, the later ones of its partition wait behind it.
/// - **Side by side.** The other partitions go on meanwhile.
/// - **A member all the time.** However long a record waits, the group does not take the consumer for dead: it keeps
///   polling.
/// - **Bounded.** Memory does not grow with the number of records that wait in the topic.
///
/// # Rebalances
///
/// When a partition is taken away, its waiting record is forgotten: it is not tried again here. The partition's new
/// owner begins at the committed offset and finds it there. So does this consumer when the partition comes back to it.
///
/// The private fields are yours: keep these or put something else in their place.
pub struct RetryConsumer<H> {
    // stub: add policy: RetryPolicy,
    // stub: add dead_letters: DeadLetterQueue,
    // stub: add handler: H,
    // stub: drop
    consumer: Arc<StreamConsumer<Membership>>,
    treatment: Arc<Treatment<H>>,
    // stub: end
}

impl<H: Handler> RetryConsumer<H> {
    /// A consumer that has joined nothing yet. `settings` say where the brokers are and how patient the group is
    /// (`session.timeout.ms`, `max.poll.interval.ms`, …); what the guarantees depend on is set here, whatever they say.
    /// A group that has committed nothing begins with the first record of each partition.
    pub fn new(
        settings: &ClientConfig,
        group: &str,
        topics: &[&str],
        policy: RetryPolicy,
        dead_letters: DeadLetterQueue,
        handler: H,
    ) -> Result<Self, KafkaError> {
        // stub: todo!("step 3: a consumer that commits nothing by itself, subscribed to the topics")
        let mut settings = settings.clone();
        settings
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            // Otherwise a record counts as done when it is received.
            .set("enable.auto.offset.store", "false");
        // When the client has read ahead as far as it may, it looks again only after this time. The default is a
        // second, in which a quick handler has long run dry.
        if settings.get("fetch.queue.backoff.ms").is_none() {
            settings.set("fetch.queue.backoff.ms", "20");
        }
        let consumer: StreamConsumer<Membership> = settings.create_with_context(Membership::default())?;
        consumer.subscribe(topics)?;
        let treatment = Treatment { policy, dead_letters, handler };
        Ok(Self { consumer: Arc::new(consumer), treatment: Arc::new(treatment) })
        // stub: end
    }

    /// Consumes until `shutdown` is cancelled.
    ///
    /// A record whose attempts are used up, or whose error is permanent, becomes a dead letter, and its partition goes
    /// on. What is finished is committed within [`COMMIT_INTERVAL`]. For each retry a random number is drawn anew.
    ///
    /// # Shutdown
    ///
    /// When `shutdown` is cancelled no further call of the handler begins. A call or a dead letter under way is finished; a record
    /// that waits for a retry is left as it is, uncommitted, without waiting for its time. Then what is finished is
    /// committed, the group is left, and `Ok` is returned. The token is the caller's: a run that ends by itself does not
    /// cancel it.
    ///
    /// # Errors
    /// When going on would lose a record or hide that none can be kept: see [`RunError`]. What is finished by then is
    /// committed if that is still possible; the record that is not finished is not. A broker that cannot be reached for
    /// a while is no error, nor is a commit that fails by that or in a rebalance: the next one covers it.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), RunError> {
        // stub: todo!("step 3: receive, handle, commit; steps 4 and 5 change this function again")
        let Self { consumer, treatment } = self;
        let ended = Self::consume(&consumer, &treatment, &shutdown).await;
        // Both of these block: the last commit waits for the broker, and a consumer that is dropped leaves its group.
        let last_words = move || {
            let committed = consumer.context().commit(&*consumer);
            drop(consumer);
            committed
        };
        let committed = tokio::task::spawn_blocking(last_words).await.expect("a commit does not panic");
        ended.and(committed.map_err(RunError::Commit))
        // stub: end
    }
}
// stub: drop

impl<H: Handler> RetryConsumer<H> {
    async fn consume(
        consumer: &Arc<StreamConsumer<Membership>>,
        treatment: &Arc<Treatment<H>>,
        shutdown: &CancellationToken,
    ) -> Result<(), RunError> {
        let membership = consumer.context();
        // An error ends the retries as a shutdown does; the caller's token is not ours to cancel.
        let shutdown = shutdown.child_token();
        let mut retries: JoinSet<Retried> = JoinSet::new();
        // The commit that is under way, if there is one. Its error is in the result of a synchronous call only: of one
        // that nobody waits for, this client tells nobody.
        let mut commits: JoinSet<KafkaResult<()>> = JoinSet::new();
        let mut commit = tokio::time::interval(COMMIT_INTERVAL);
        commit.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // One of each for all records: to make them anew for every one is what such a loop would spend its time on.
        let mut cancelled = pin!(shutdown.cancelled());
        let mut messages = consumer.stream();
        let mut ended = loop {
            tokio::select! {
                biased;
                () = &mut cancelled => break Ok(()),
                _ = commit.tick(), if commits.is_empty() => {
                    let consumer = Arc::clone(consumer);
                    commits.spawn_blocking(move || consumer.context().commit(&*consumer));
                }
                Some(committed) = commits.join_next(), if !commits.is_empty() => {
                    if let Err(error) = committed.expect("a commit does not panic") {
                        break Err(RunError::Commit(error));
                    }
                }
                Some(retried) = retries.join_next_with_id(), if !retries.is_empty() => {
                    let settled = came_back(membership, retried)
                        .map_or(Ok(()), |(record, result)| settle(consumer, &record, result));
                    if let Err(error) = settled {
                        break Err(error);
                    }
                }
                Some(received) = messages.next() => match received {
                    Ok(message) => {
                        let record = message.detach();
                        match treatment.handler.handle(&record).await {
                            Ok(()) => {
                                // The next commit covers it. The call adds the one by which an offset is past its record.
                                if let Err(error) = consumer.store_offset_from_message(&message) {
                                    break Err(RunError::Commit(error));
                                }
                            }
                            Err(error) => {
                                // Nothing more comes from this partition until the record is finished. Others do,
                                // and the group sees us poll.
                                consumer.pause(&partition_of(&record)).map_err(RunError::Receive)?;
                                let place = (record.topic().to_owned(), record.partition());
                                let retry = Arc::clone(treatment).retry(record, error, shutdown.clone());
                                membership.wait(place, retries.spawn(retry));
                            }
                        }
                    }
                    Err(error @ KafkaError::MessageConsumptionFatal(_)) => break Err(RunError::Receive(error)),
                    // Everything else heals by itself, and librdkafka is at it.
                    Err(_) => {}
                },
            }
        };
        // Those that wait see the shutdown; those in the handler come to its end.
        shutdown.cancel();
        while let Some(retried) = retries.join_next_with_id().await {
            match came_back(membership, retried) {
                Some((record, Ok(true))) => ended = ended.and(finish(consumer, &record)),
                Some((_, Err(error))) => ended = ended.and(Err(RunError::DeadLetter(error))),
                _ => {}
            }
        }
        while let Some(committed) = commits.join_next().await {
            ended = ended.and(committed.expect("a commit does not panic").map_err(RunError::Commit));
        }
        ended
    }
}

/// A record that failed at first, and whether it is finished now. It is not when the shutdown came first.
type Retried = (OwnedMessage, Result<bool, KafkaError>);

/// What is done with one record.
struct Treatment<H> {
    policy: RetryPolicy,
    dead_letters: DeadLetterQueue,
    handler: H,
}

impl<H: Handler> Treatment<H> {
    /// Tries a record that has failed once until it is finished, or until the shutdown.
    async fn retry(
        self: Arc<Self>,
        record: OwnedMessage,
        mut error: HandlerError,
        shutdown: CancellationToken,
    ) -> Retried {
        let mut attempts = 1;
        while let Next::Retry(delay) = self.policy.after(attempts, &error, fastrand::f64()) {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return (record, Ok(false)),
                () = tokio::time::sleep(delay) => {}
            }
            match self.handler.handle(&record).await {
                Ok(()) => return (record, Ok(true)),
                Err(again) => error = again,
            }
            attempts += 1;
        }
        let failure = Failure { error, attempts, at: SystemTime::now() };
        let sent = self.dead_letters.send(&record, &failure).await;
        (record, sent.map(|()| true))
    }
}

/// The record of a task that has ended, unless its partition was taken away meanwhile.
fn came_back(membership: &Membership, ended: Result<(Id, Retried), JoinError>) -> Option<Retried> {
    match ended {
        Ok((id, retried)) => membership.back(id, &retried.0).then_some(retried),
        Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
        Err(_aborted) => None,
    }
}

/// Ends a record's wait.
fn settle(
    consumer: &StreamConsumer<Membership>,
    record: &OwnedMessage,
    result: Result<bool, KafkaError>,
) -> Result<(), RunError> {
    if result.map_err(RunError::DeadLetter)? {
        finish(consumer, record)?;
        consumer.resume(&partition_of(record)).map_err(RunError::Receive)?;
    }
    Ok(())
}

/// The next commit covers this record, whose message is gone by now.
fn finish(consumer: &StreamConsumer<Membership>, record: &OwnedMessage) -> Result<(), RunError> {
    consumer.store_offset(record.topic(), record.partition(), record.offset()).map_err(RunError::Commit)
}

/// librdkafka hangs in the consumer's end when such a list is still alive then, so none is kept.
fn partition_of(record: &OwnedMessage) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(1);
    list.add_partition(record.topic(), record.partition());
    list
}
// stub: end
