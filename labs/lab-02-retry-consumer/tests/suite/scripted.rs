// A handler that does what the suite says, and writes down what it was asked.

use lab_02_retry_consumer::{Handler, HandlerError};
use rdkafka::{Message as _, message::OwnedMessage};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Instant,
};
use testkit::{Answer, History, Place, Seen, Trial, kafka::Record};
use tokio::sync::watch;

/// The record at this offset of `orders`.
pub fn order(partition: i32, offset: i64) -> Place {
    Place { topic: "orders".into(), partition, offset }
}

/// The record at this offset of `refunds`, which has one partition.
pub fn refund(offset: i64) -> Place {
    Place { topic: "refunds".into(), partition: 0, offset }
}

/// A call of the handler.
#[derive(Clone, Debug)]
pub struct Call {
    pub place: Place,
    /// Which call for this record it is, from 1, in this handler.
    pub attempt: u32,
    pub record: Record,
    pub began: Instant,
    /// When it ended, and how.
    pub ended: Option<(Instant, Answer)>,
}

impl Call {
    pub fn is_done(&self) -> bool {
        matches!(self.ended, Some((_, Answer::Done)))
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.ended, Some((_, Answer::Failed(_))))
    }
}

/// How often a record fails. One that nobody speaks of succeeds.
enum Plan {
    Times(u32),
    TimesThenForGood(u32),
    ForGood,
}

/// Clones are one handler.
#[derive(Clone)]
pub struct Scripted(Arc<Script>);

struct Script {
    history: History,
    plans: Mutex<HashMap<Place, Plan>>,
    /// Calls that may not end yet: the record, and which call for it.
    held: watch::Sender<BTreeSet<(Place, u32)>>,
    calls: watch::Sender<Vec<Call>>,
}

impl Scripted {
    /// A handler for which every record succeeds.
    pub fn new(trial: &Trial) -> Self {
        Self(Arc::new(Script {
            history: trial.history().clone(),
            plans: Mutex::default(),
            held: watch::Sender::default(),
            calls: watch::Sender::default(),
        }))
    }

    /// The first so many calls for a record end with a transient error.
    pub fn fails(self, place: Place, times: u32) -> Self {
        self.0.plans.lock().expect("no panic here").insert(place, Plan::Times(times));
        self
    }

    /// Every call for a record ends with a transient error.
    pub fn always_fails(self, place: Place) -> Self {
        self.fails(place, u32::MAX)
    }

    /// A call for a record ends with a permanent error.
    pub fn cannot(self, place: Place) -> Self {
        self.0.plans.lock().expect("no panic here").insert(place, Plan::ForGood);
        self
    }

    /// The first so many calls for a record end with a transient error, and the next one with a permanent error.
    pub fn fails_then_cannot(self, place: Place, times: u32) -> Self {
        self.0.plans.lock().expect("no panic here").insert(place, Plan::TimesThenForGood(times));
        self
    }

    /// This call for a record does not end until it is released.
    pub fn holds(self, place: Place, attempt: u32) -> Self {
        self.0.held.send_modify(|held| _ = held.insert((place, attempt)));
        self
    }

    /// From now on every record succeeds.
    pub fn mend(&self) {
        self.0.history.did("every record succeeds from now on");
        self.0.plans.lock().expect("no panic here").clear();
    }

    /// Every call may end.
    pub fn release(&self) {
        self.0.history.did("the handler may go on");
        self.0.held.send_modify(BTreeSet::clear);
    }

    /// All calls so far, in the order in which they began.
    pub fn calls(&self) -> Vec<Call> {
        self.0.calls.borrow().clone()
    }

    /// All calls so far for one record.
    pub fn calls_for(&self, place: &Place) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.place == *place).collect()
    }

    /// The offsets of a partition's records, as the handler was called for them.
    pub fn offsets(&self, topic: &str, partition: i32) -> Vec<i64> {
        let of_it = |call: &Call| call.place.topic == topic && call.place.partition == partition;
        self.calls().iter().filter(|call| of_it(call)).map(|call| call.place.offset).collect()
    }

    /// Waits until the calls are so. The bound is the caller's to set.
    pub async fn when(&self, mut so: impl FnMut(&[Call]) -> bool) {
        let mut calls = self.0.calls.subscribe();
        calls.wait_for(|calls| so(calls)).await.expect("the handler is alive");
    }

    /// Waits until each of these records was handled with success.
    pub async fn done(&self, places: impl IntoIterator<Item = Place>) {
        let places: Vec<_> = places.into_iter().collect();
        let is_done =
            |calls: &[Call], place: &Place| calls.iter().any(|call| call.place == *place && call.is_done());
        self.when(|calls| places.iter().all(|place| is_done(calls, place))).await;
    }

    /// Waits until a record has failed so often.
    pub async fn failed(&self, place: Place, times: usize) {
        let failed = |call: &&Call| call.place == place && call.has_failed();
        self.when(|calls| calls.iter().filter(failed).count() >= times).await;
    }

    /// Waits until a call is given up by its caller before it has ended.
    pub async fn dropped(&self) {
        self.when(|calls| calls.iter().any(|call| matches!(call.ended, Some((_, Answer::Dropped))))).await;
    }

    /// Waits until this call for a record has begun.
    pub async fn began(&self, place: Place, attempt: u32) {
        self.when(|calls| calls.iter().any(|call| call.place == place && call.attempt == attempt)).await;
    }

    fn answer(&self, place: &Place, attempt: u32) -> Result<(), HandlerError> {
        match self.0.plans.lock().expect("no panic here").get(place) {
            Some(Plan::Times(times) | Plan::TimesThenForGood(times)) if attempt <= *times => {
                Err(HandlerError::Transient(format!("the bank is down, {attempt}")))
            }
            Some(Plan::ForGood | Plan::TimesThenForGood(_)) => Err(HandlerError::Permanent("no JSON".into())),
            _ => Ok(()),
        }
    }
}

impl Handler for Scripted {
    async fn handle(&self, message: &OwnedMessage) -> Result<(), HandlerError> {
        // What makes a topic's name unique stands before its label.
        let topic = message.topic().rsplit('.').next().unwrap_or_default().to_owned();
        let place = Place { topic, partition: message.partition(), offset: message.offset() };
        let mut under_way = UnderWay::begin(self, place.clone(), Record::of(message));
        let this = (place, under_way.attempt);
        let mut held = self.0.held.subscribe();
        held.wait_for(|held| !held.contains(&this)).await.expect("the handler is alive");
        let result = self.answer(&this.0, this.1);
        // Written down before the code under test hears of it: whatever it does then, it did after this.
        under_way.end(match &result {
            Ok(()) => Answer::Done,
            Err(error) => Answer::Failed(error.to_string()),
        });
        result
    }
}

/// A call that has not ended. Dropped before it has, it was given up by its caller.
struct UnderWay<'a> {
    handler: &'a Scripted,
    index: usize,
    place: Place,
    attempt: u32,
    ended: bool,
}

impl<'a> UnderWay<'a> {
    fn begin(handler: &'a Scripted, place: Place, record: Record) -> Self {
        let (mut index, mut attempt) = (0, 0);
        handler.0.calls.send_modify(|calls| {
            index = calls.len();
            attempt = 1;
            attempt += calls.iter().fold(0, |before, call| before + u32::from(call.place == place));
            // Under the lock: the history has the order of the calls.
            handler.0.history.record(Seen::Handling { record: place.clone(), attempt });
            let began = Instant::now();
            calls.push(Call { place: place.clone(), attempt, record, began, ended: None });
        });
        Self { handler, index, place, attempt, ended: false }
    }

    fn end(&mut self, answer: Answer) {
        self.ended = true;
        let (record, attempt) = (self.place.clone(), self.attempt);
        self.handler.0.calls.send_modify(|calls| {
            self.handler.0.history.record(Seen::Handled { record, attempt, answer: answer.clone() });
            calls[self.index].ended = Some((Instant::now(), answer));
        });
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Answer::Dropped);
        }
    }
}
