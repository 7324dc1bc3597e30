//! What right code keeps to, said over what was seen of it.
//!
//! A property is a plain function over the events of a history. It knows neither broker nor client, and says where a
//! history breaks it; [`Rule::over`](crate::Rule::over) ends the test with that event marked.
//!
//! # What a history must be for them
//!
//! An observer may be late and never early, and no property condemns code for that:
//!
//! - [`Handling`](crate::Seen::Handling) is recorded when the handler is called, and [`Handled`](crate::Seen::Handled)
//!   *before* its answer is given back: what the code does because of the answer stands after it.
//! - [`Committed`](crate::Seen::Committed), [`DeadLettered`](crate::Seen::DeadLettered) and
//!   [`Produced`](crate::Seen::Produced) may stand later than they happened. So a dead letter counts wherever it
//!   stands: read the dead letters to their end before the history is judged.
//! - What a process does that is killed in the test is not in the history, unless its suite writes it there.
//! - All produced records of the history are meant for the code under test, which is one consumer group.
//!
//! Of a registry that is watched: [`InstanceCame`](crate::Seen::InstanceCame) and
//! [`InstanceLeft`](crate::Seen::InstanceLeft) are recorded right *before* the suite makes it so, one change after the
//! other, and each that changes something. A watcher's events may be late, and never early. Watchers are told apart by
//! their numbers; whoever asks for a list now and then is one who is told snapshots.
//!
//! When a member of the group was started, ended or killed, its suite records
//! [`MembersChanged`](crate::Seen::MembersChanged), for the first member nothing: what was not committed may then come
//! again, at any later time.

mod attempts;
mod commit;
mod convergence;
mod end;
mod flight;
mod gap;
mod gaps;
mod lost;
mod order;
mod registry;
mod resurrection;

pub use attempts::attempts_at_most;
pub use commit::commits_pass_no_unfinished_record;
pub use convergence::every_watcher_converges;
pub use end::nothing_handled_after;
pub use flight::one_in_flight_per_partition;
pub use gap::no_gap;
pub use gaps::gaps_at_least;
pub use lost::no_record_is_lost;
pub use order::order_is_kept;
pub use resurrection::no_resurrection;

use crate::{Answer, Event, Place, Seen};
use std::collections::{BTreeMap, BTreeSet};

/// Where a history breaks a property, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The index of the event that right code does not cause, or after which something is missing.
    pub at: usize,
    /// What right code does.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// A topic and a partition of it.
type Partition<'a> = (&'a str, i32);

fn partition_of(record: &Place) -> Partition<'_> {
    (&record.topic, record.partition)
}

/// The offsets of the records of each partition that a history tells of, wherever it does: one that was produced is
/// often handled before its producer hears of it.
fn records(events: &[Event]) -> BTreeMap<Partition<'_>, BTreeSet<i64>> {
    let mut records: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for event in events {
        if let Seen::Produced { record, .. } | Seen::Handling { record, .. } = &event.seen {
            records.entry(partition_of(record)).or_default().insert(record.offset);
        }
    }
    records
}

/// The records that have a dead letter, wherever it stands.
fn dead(events: &[Event]) -> BTreeSet<&Place> {
    events
        .iter()
        .filter_map(|event| match &event.seen {
            Seen::DeadLettered { record, .. } => Some(record),
            _ => None,
        })
        .collect()
}

/// The record that this event shows to have succeeded.
fn done(event: &Event) -> Option<&Place> {
    match &event.seen {
        Seen::Handled { record, answer: Answer::Done, .. } => Some(record),
        _ => None,
    }
}

/// The events before which nothing can have come a second time because the group was shared out anew.
fn until_members_changed(events: &[Event]) -> &[Event] {
    let changed = events.iter().position(|event| matches!(event.seen, Seen::MembersChanged(_)));
    &events[..changed.unwrap_or(events.len())]
}
