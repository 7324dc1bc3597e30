// Where the records of a test go, and what stands in them as text.

use lab_04_interceptors::{Record, RequestId, Sink};
use testkit::{Rule, Trial, grpc};
use tokio::sync::watch;

/// An access log that is read by a test.
#[derive(Clone)]
pub struct Logbook {
    records: watch::Sender<Vec<Record>>,
    sink: Sink,
}

impl Logbook {
    /// An empty one. Each record also goes into the timeline.
    pub fn open(trial: &Trial) -> Self {
        let records = watch::Sender::new(Vec::new());
        let (history, written) = (trial.history().clone(), records.clone());
        let sink = Sink::new(move |record| {
            history.did(format!("log: {}", line(&record)));
            written.send_modify(|records: &mut Vec<Record>| records.push(record));
        });
        Self { records, sink }
    }

    pub fn sink(&self) -> Sink {
        self.sink.clone()
    }

    /// What stands in it now.
    pub fn now(&self) -> Vec<Record> {
        self.records.borrow().clone()
    }

    /// The first records, once there are so many.
    pub async fn first(&self, rule: &Rule<'_>, count: usize) -> Vec<Record> {
        let mut records = self.records.subscribe();
        let expected = if count == 1 { "a record of the call".into() } else { format!("{count} records") };
        let enough = rule.within(expected, records.wait_for(|records| records.len() >= count)).await;
        enough.expect("the logbook is still here")[..count].to_vec()
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
