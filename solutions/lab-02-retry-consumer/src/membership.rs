//! What a rebalance takes away, and how the loop learns of it: the group tells it in a callback.

// stub: add // Nothing of it is given. Step 4 needs something of the kind, which may as well be in another file.
// stub: drop
use rdkafka::{
    ClientContext, Message as _,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::{KafkaError, KafkaResult},
    message::OwnedMessage,
    types::RDKafkaErrorCode,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::task::{AbortHandle, Id};

/// What the consumer's callbacks and its loop both know.
#[derive(Default)]
pub(crate) struct Membership {
    /// The tasks of the records that wait, by partition.
    waiting: Mutex<HashMap<(String, i32), AbortHandle>>,
    /// A commit in a rebalance was refused. Nobody could be told there.
    refused: Mutex<Option<KafkaError>>,
}

impl Membership {
    /// A record waits in its partition.
    pub(crate) fn wait(&self, place: (String, i32), task: AbortHandle) {
        lock(&self.waiting).insert(place, task);
    }

    /// A record's wait is over. False when its partition was taken away meanwhile.
    pub(crate) fn back(&self, task: Id, record: &OwnedMessage) -> bool {
        let mut waiting = lock(&self.waiting);
        let place = (record.topic().to_owned(), record.partition());
        let ours = waiting.get(&place).is_some_and(|waits| waits.id() == task);
        if ours {
            waiting.remove(&place);
        }
        ours
    }

    /// Commits what is finished, and waits for the broker. An error also tells of a commit in an earlier rebalance.
    pub(crate) fn commit<C: rdkafka::consumer::Consumer<Self>>(&self, consumer: &C) -> KafkaResult<()> {
        if let Some(error) = lock(&self.refused).take() {
            return Err(error);
        }
        consumer.commit_consumer_state(CommitMode::Sync).or_else(unless_harmless)
    }
}

/// Some commits fail without harm: nothing was finished since the last one; or the partition is no longer ours, and
/// its new owner begins at the last commit; or the broker is away, and the next commit covers this one.
fn unless_harmless(error: KafkaError) -> KafkaResult<()> {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::NoOffset) => Ok(()),
        Some(Code::RebalanceInProgress | Code::IllegalGeneration) => Ok(()),
        Some(Code::UnknownMemberId | Code::AssignmentLost) => Ok(()),
        Some(
            Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::WaitingForCoordinator
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::NotCoordinator,
        ) => Ok(()),
        _ => Err(error),
    }
}

impl ClientContext for Membership {}

impl ConsumerContext for Membership {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(partitions) = rebalance else { return };
        for partition in partitions.elements() {
            let place = (partition.topic().to_owned(), partition.partition());
            if let Some(task) = lock(&self.waiting).remove(&place) {
                task.abort();
            }
        }
        // A pause outlives the assignment: should the partition come back to us, it would stand still. While it is
        // ours this cannot fail.
        let _ = consumer.resume(partitions);
        // The new owner need not do again what is finished. When we were thought dead it has begun already.
        if !consumer.assignment_lost()
            && let Err(error) = self.commit(consumer)
        {
            *lock(&self.refused) = Some(error);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
// stub: end
