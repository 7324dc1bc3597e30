//! Reads records, has them handled, and commits what is finished.

use crate::{DeadLetterQueue, Handler, RetryPolicy};
use rdkafka::{ClientConfig, error::KafkaError};
use std::{fmt, time::Duration};
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
    policy: RetryPolicy,
    dead_letters: DeadLetterQueue,
    handler: H,
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
        todo!("step 3: a consumer that commits nothing by itself, subscribed to the topics")
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
        todo!("step 3: receive, handle, commit; steps 4 and 5 change this function again")
    }
}
