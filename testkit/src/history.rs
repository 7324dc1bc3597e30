//! What a suite saw happen, in order.

use crate::{Event, Seen};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// A record of events in the order in which they happened. Clones share one record.
///
/// Times are those of Tokio's clock: in a test that pauses it, a reader sees the time that the test is about.
#[derive(Clone, Debug)]
pub struct History {
    began: Instant,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug, Default)]
struct Record {
    events: Vec<Event>,
    calls: u64,
    listener: Option<Listener>,
}

/// Is told of each event as it happens.
struct Listener(Box<dyn Fn(&Event) + Send>);

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

impl History {
    /// An empty history that begins now.
    pub fn new() -> Self {
        Self { began: Instant::now(), record: Arc::default() }
    }

    /// Adds an event that happens now.
    pub fn record(&self, seen: Seen) {
        let mut record = self.lock();
        // The clock is read under the lock: events stand in the order of their times.
        let at = self.began.elapsed();
        let event = Event { at, seen };
        if let Some(Listener(listener)) = &record.listener {
            listener(&event);
        }
        record.events.push(event);
    }

    /// Adds something that the suite itself does now.
    pub fn did(&self, what: impl Into<String>) {
        self.record(Seen::Did(what.into()));
    }

    /// Adds that the suite starts another member of the group now, or ends or kills one.
    pub fn members_change(&self, what: impl Into<String>) {
        self.record(Seen::MembersChanged(what.into()));
    }

    /// From now on tells somebody of each event as it happens, in order. They must not record events themselves.
    pub fn tell(&self, listener: impl Fn(&Event) + Send + 'static) {
        self.lock().listener = Some(Listener(Box::new(listener)));
    }

    /// A number for a new call, from 1.
    pub fn next_call(&self) -> u64 {
        let mut record = self.lock();
        record.calls += 1;
        record.calls
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Event> {
        self.lock().events.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // A test that panics elsewhere still wants to draw its history.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_record_in_the_order_of_time() {
        let history = History::new();
        let other = history.clone();
        history.did("first");
        other.did("second");

        let events = history.events();
        assert_eq!(
            events.iter().map(|event| &event.seen).collect::<Vec<_>>(),
            [&Seen::Did("first".into()), &Seen::Did("second".into())]
        );
        assert!(events[0].at <= events[1].at);
    }

    #[test]
    fn calls_are_numbered_from_one() {
        let history = History::new();
        assert_eq!((history.next_call(), history.clone().next_call()), (1, 2));
    }
}
