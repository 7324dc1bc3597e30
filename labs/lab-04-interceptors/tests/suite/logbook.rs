// Where the records of a test go, and what stands in them as text.

use crate::overseen::{Over, Overseen};
use lab_04_interceptors::{Record, RequestId, Sink};
use testkit::{Rule, Trial, grpc};
use tokio::sync::watch;

/// An access log that is read by a test.
#[derive(Clone)]
pub struct Logbook {
    pages: watch::Sender<Pages>,
    sink: Sink,
}

#[derive(Default)]
struct Pages {
    records: Vec<Record>,
    /// Calls of which nothing is left that could still write a record.
    over: usize,
}

impl Logbook {
    /// An empty one. Each record also goes into the timeline.
    pub fn open(trial: &Trial) -> Self {
        let pages = watch::Sender::new(Pages::default());
        let (history, written) = (trial.history().clone(), pages.clone());
        let sink = Sink::new(move |record| {
            history.did(format!("log: {}", line(&record)));
            written.send_modify(|pages: &mut Pages| pages.records.push(record));
        });
        Self { pages, sink }
    }

    /// Watches what writes into this log, so that a test need not wait for the record of a call that is over.
    pub fn oversee<S>(&self, service: S) -> Overseen<S> {
        let pages = self.pages.clone();
        Overseen::new(service, Over::new(move || pages.send_modify(|pages| pages.over += 1)))
    }

    pub fn sink(&self) -> Sink {
        self.sink.clone()
    }

    /// What stands in it now.
    pub fn now(&self) -> Vec<Record> {
        self.pages.borrow().records.clone()
    }

    /// The first records, once there are so many. When so many calls are over, no more will come.
    pub async fn first(&self, rule: &Rule<'_>, count: usize) -> Vec<Record> {
        let expected = if count == 1 { "a record of the call".into() } else { format!("{count} records") };
        let mut pages = self.pages.subscribe();
        let settled = pages.wait_for(|pages| pages.records.len() >= count || pages.over >= count);
        let settled = rule.within(&expected, settled).await;
        let mut records = settled.expect("the logbook is still here").records.clone();
        if records.len() < count {
            let seen = lines(&records);
            rule.broken(expected, if count == 1 { format!("the call is over: {seen}") } else { seen });
        }
        records.truncate(count);
        records
    }

    /// The first record as text, once it is there.
    pub async fn line(&self, rule: &Rule<'_>) -> String {
        lines(&self.first(rule, 1).await)
    }
}

/// Records as text, without what differs from run to run: the time that a call took.
pub fn lines(records: &[Record]) -> String {
    let lines: Vec<_> = records.iter().map(line).collect();
    if lines.is_empty() { "no record".to_owned() } else { lines.join("\n") }
}

fn line(record: &Record) -> String {
    let Record { side, method, code, requests, replies, .. } = record;
    let caller = record.caller.as_deref().unwrap_or("-");
    let id = record.request_id.as_ref().map_or("-", RequestId::as_str);
    let code = grpc::name(*code);
    format!("{side:?} {method} {code} requests={requests} replies={replies} caller={caller} id={id}")
}
