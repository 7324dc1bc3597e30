//! The things that a suite can see. Plain data: this file knows neither gRPC nor Kafka.

use std::{collections::BTreeMap, fmt, time::Duration};

/// One thing that happened in a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Time since the history began.
    pub at: Duration,
    /// What it was.
    pub seen: Seen,
}

/// The kinds of things that a suite can see.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A client opened a call.
    Called {
        /// Number of the call within its history, from 1.
        call: u64,
        /// The method without its package, such as `Health/Watch`.
        method: String,
    },
    /// A message went from client to server.
    Sent {
        /// The call that carried it.
        call: u64,
        /// The message in protobuf's text format.
        message: String,
    },
    /// A message came from server to client.
    Received {
        /// The call that carried it.
        call: u64,
        /// The message in protobuf's text format.
        message: String,
    },
    /// A call ended with a status.
    Ended {
        /// The call that ended.
        call: u64,
        /// The status as the client reads it, such as `OK` or `NOT_FOUND: no such user`.
        status: String,
    },
    /// The client went away before the call had ended.
    Dropped {
        /// The call that was dropped.
        call: u64,
    },
    /// A record was appended to a topic.
    Produced {
        /// Where it lies now.
        record: Place,
        /// Its key as text; empty where it has none.
        key: String,
    },
    /// The handler was called for a record.
    Handling {
        /// The record.
        record: Place,
        /// Which call for this record it is, from 1.
        attempt: u32,
    },
    /// A call of the handler ended.
    Handled {
        /// The record.
        record: Place,
        /// Which call for this record it was, from 1.
        attempt: u32,
        /// What the handler answered.
        answer: Answer,
    },
    /// The broker holds a new committed offset.
    Committed {
        /// The topic as the suite calls it.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset of the record that a new member would read first.
        offset: i64,
    },
    /// A dead letter was appended to its topic.
    DeadLettered {
        /// The record that could not be handled, as the dead letter names it.
        record: Place,
        /// Where the dead letter lies.
        at: Place,
    },
    /// From now on an instance may stand in a registry under this address: the suite registers it next.
    InstanceCame {
        /// Its id.
        id: String,
        /// Where it is.
        address: String,
    },
    /// From now on an instance may be missing in a registry: the suite deregisters it next, or its lease expires.
    InstanceLeft {
        /// Its id.
        id: String,
    },
    /// Somebody begins to watch a registry.
    WatchBegan {
        /// A number for the watcher.
        watcher: u32,
    },
    /// A watcher of a registry was told something.
    WatcherTold {
        /// The watcher's number.
        watcher: u32,
        /// What it was told.
        told: Told,
    },
    /// The suite started another member of the group, or ended or killed one, and says so in these words. From then on
    /// what was not committed may come again.
    MembersChanged(String),
    /// The suite did something itself, such as pulling a plug.
    Did(String),
}

/// Where a record lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The topic as the suite calls it, without what makes its name unique.
    pub topic: String,
    /// The partition, from 0.
    pub partition: i32,
    /// The offset in the partition, from 0.
    pub offset: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.topic, self.partition, self.offset)
    }
}

/// What a registry tells a watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Everything that there is: the address of each instance by its id.
    Snapshot(BTreeMap<String, String>),
    /// An instance has come, or has another address.
    Added {
        /// Its id.
        id: String,
        /// Where it is.
        address: String,
    },
    /// An instance has gone.
    Removed {
        /// Its id.
        id: String,
    },
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(all) if all.is_empty() => f.write_str("snapshot: nobody"),
            Self::Snapshot(all) => {
                let all: Vec<_> = all.iter().map(|(id, address)| format!("{id} at {address}")).collect();
                write!(f, "snapshot: {}", all.join(", "))
            }
            Self::Added { id, address } => write!(f, "added {id} at {address}"),
            Self::Removed { id } => write!(f, "removed {id}"),
        }
    }
}

/// What a call of a handler came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It succeeded.
    Done,
    /// It failed, in these words.
    Failed(String),
    /// It was dropped before it had answered.
    Dropped,
}
