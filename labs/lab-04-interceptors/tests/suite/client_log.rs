// Step 4: what a client's log says of the calls that it makes.

use crate::{
    calls::{Calls, connect, ends, outcome, posts, with_id},
    logbook::{Logbook, lines},
    overseen::Overseen,
    scripted::{HALF, MISSING, Scripted, WAITS, post},
};
use lab_04_interceptors::{Record, Stack, outbound};
use proto::ledger::v1::{PostRequest, ledger_client::LedgerClient};
use testkit::{
    Passed, Rule, Trial,
    grpc::{self, Server},
};
use tokio::{runtime::Runtime, task::JoinHandle};
use tonic::{Request, body::Body, codegen::StdError, service::Routes, transport::Endpoint};
use tower::Service;

const SECTION: &str = "step-4-outgoing-calls";

/// A scripted ledger, and a client of it that logs.
async fn start(trial: &Trial, rule: &Rule<'_>) -> (Logbook, Scripted, Server, Calls<Overseen<Stack>>) {
    let (log, ledger) = (Logbook::open(trial), Scripted::default());
    let server = grpc::serve(Routes::new(ledger.server())).await;
    let wire = connect(trial, rule, &server).await;
    let calls = Calls(LedgerClient::new(logged(wire, &log)));
    (log, ledger, server, calls)
}

/// What a client calls through, with its log.
fn logged<S>(channel: S, log: &Logbook) -> Overseen<Stack>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<StdError> + Send + 'static,
{
    log.oversee(outbound(channel, log.sink()))
}

/// A runtime of its own for a server. When this is dropped, all of the server's connections are gone.
struct Elsewhere(Option<Runtime>);

impl Elsewhere {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self(Some(runtime.expect("a runtime for the server")))
    }

    fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.0.as_ref().expect("it is there until it is dropped").spawn(work)
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // A runtime must not be dropped in the midst of another one: it would wait for its threads.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The text of records whose requests may not all have left when the call was over.
fn without_requests(records: &[Record]) -> String {
    let records: Vec<_> = records.iter().map(|record| Record { requests: 0, ..record.clone() }).collect();
    lines(&records).replace(" requests=0", "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_call() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A client logs its calls as a server does: each kind, with the messages both ways");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    ends(&rule, "OK", &calls.post(&rule, with_id(&rule, "one", post("cash", 1))).await);
    ends(&rule, "OK", &calls.import(&rule, with_id(&rule, "two", posts(&[1, 2, 3, 4]))).await);
    ends(&rule, "OK", &calls.statement(&rule, with_id(&rule, "three", "cash")).await);
    ends(&rule, "OK", &calls.converse(&rule, with_id(&rule, "four", posts(&[1, 2]))).await);
    reads!(rule, lines(&log.first(&rule, 4).await), @r"
    Client /ledger.v1.Ledger/Post OK requests=1 replies=1 caller=- id=one
    Client /ledger.v1.Ledger/Import OK requests=4 replies=1 caller=- id=two
    Client /ledger.v1.Ledger/Statement OK requests=1 replies=3 caller=- id=three
    Client /ledger.v1.Ledger/Exchange OK requests=2 replies=2 caller=- id=four
    ");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_fail() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A client logs the code that its caller gets: at once, or after some messages");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    ends(&rule, "NOT_FOUND", &calls.post(&rule, with_id(&rule, "at-once", post(MISSING, 1))).await);
    ends(&rule, "DATA_LOSS", &calls.statement(&rule, with_id(&rule, "half-way", HALF)).await);
    reads!(rule, without_requests(&log.first(&rule, 2).await), @r"
    Client /ledger.v1.Ledger/Post NOT_FOUND replies=0 caller=- id=at-once
    Client /ledger.v1.Ledger/Statement DATA_LOSS replies=2 caller=- id=half-way
    ");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_given_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A client logs a call that it gives up as CANCELLED, before the answer and amid a stream");
    let (log, ledger, _server, mut calls) = start(&trial, &rule).await;
    let call = calls.waiting_post(&rule, &ledger, with_id(&rule, "waiting", post(WAITS, 1))).await;
    call.abort();
    trial.did("a call is given up before its answer");
    reads!(rule, log.line(&rule).await, @"Client /ledger.v1.Ledger/Post CANCELLED requests=1 replies=0 caller=- id=waiting");

    let entries = calls.waiting_statement(&rule, with_id(&rule, "reading", WAITS)).await;
    drop(entries);
    trial.did("a stream is given up after one entry");
    let records = log.first(&rule, 2).await;
    reads!(rule, lines(&records[1..]), @"Client /ledger.v1.Ledger/Statement CANCELLED requests=1 replies=1 caller=- id=reading");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_listens() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that reaches no server is logged with the code that its caller gets");
    let log = Logbook::open(&trial);
    let addr = grpc::listen().await.local_addr().expect("a bound listener has an address");
    let channel = Endpoint::from_shared(format!("http://{addr}")).expect("an address").connect_lazy();
    let mut calls = Calls(LedgerClient::new(logged(channel, &log)));
    trial.did("a call to a port where nobody listens");
    ends(&rule, "UNAVAILABLE", &calls.post(&rule, with_id(&rule, "lost", post("cash", 1))).await);
    let record = log.first(&rule, 1).await;
    reads!(rule, without_requests(&record), @"Client /ledger.v1.Ledger/Post UNAVAILABLE replies=0 caller=- id=lost");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_breaks() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A stream whose connection breaks is logged with the code that its reader gets");
    let log = Logbook::open(&trial);
    let elsewhere = Elsewhere::start();
    let serving = elsewhere.spawn(async { grpc::serve(Routes::new(Scripted::default().server())).await });
    let server = rule.within("a server", serving).await.expect("a server");
    let wire = connect(&trial, &rule, &server).await;
    let mut calls = Calls(LedgerClient::new(logged(wire, &log)));
    let mut entries = calls.waiting_statement(&rule, with_id(&rule, "broken", WAITS)).await;
    drop(elsewhere);
    trial.did("the server is gone, and its connections with it");
    let next = rule.within("the stream fails", entries.message()).await;
    let seen = outcome(&next);
    let Err(status) = next else { rule.broken("the stream fails", seen) };
    drop(entries);
    let logged = log.first(&rule, 1).await[0].code;
    rule.holds(
        logged == status.code(),
        format_args!("the code that the reader got: {}", grpc::name(status.code())),
        grpc::name(logged),
    );
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_an_id_gets_one() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that has no id gets one, and it is the one in its record");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    let answer =
        rule.within("an answer to Post", calls.0.post(Request::<PostRequest>::new(post("cash", 1)))).await;
    ends(&rule, "OK", &answer);
    let sent = answer.ok().and_then(|reply| reply.metadata().get("x-request-id").cloned());
    let sent = sent.and_then(|id| id.to_str().map(str::to_owned).ok());
    let logged = log.first(&rule, 1).await[0].request_id.clone().map(|id| id.to_string());
    rule.holds(
        logged.is_some() && logged == sent,
        "an id, the same on the reply and in the record",
        format_args!("{sent:?} on the reply, {logged:?} in the record"),
    );
    trial.passed()
}
