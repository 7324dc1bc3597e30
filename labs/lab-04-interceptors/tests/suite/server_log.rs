// Step 2: what a server's log says of calls over a connection.

use crate::{
    calls::{Calls, answers, ends, logged_server, posts},
    logbook::{Logbook, lines},
    scripted::{HALF, LARGE, MISSING, Scripted, WAITS, post},
};
use testkit::{Passed, Rule, Trial, grpc::Server, grpc::Wire};
use tonic::Request;

const SECTION: &str = "step-2-an-access-log";

/// A scripted ledger behind a server's log, and a client.
async fn start(trial: &Trial, rule: &Rule<'_>) -> (Logbook, Scripted, Server, Calls<Wire>) {
    let (log, ledger) = (Logbook::open(trial), Scripted::default());
    let (server, client) = logged_server(trial, rule, &log, ledger.server()).await;
    (log, ledger, server, Calls(client))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unary_call() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A unary call is logged with the status of its trailers");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    let answer = calls.post(&rule, Request::new(post("cash", 700))).await;
    answers(&rule, "the reply 700", &700, &answer);
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Post OK requests=1 replies=1 caller=- id=-");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_fails_at_once() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that fails at once is logged with the status of its headers");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    ends(&rule, "NOT_FOUND", &calls.post(&rule, Request::new(post(MISSING, 1))).await);
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Post NOT_FOUND requests=1 replies=0 caller=- id=-");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_requests() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Each message of a stream of requests counts, also when many come in one piece");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    ends(&rule, "OK", &calls.import(&rule, Request::new(posts(&[1, 2, 3, 4, 5, 6, 7]))).await);
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Import OK requests=7 replies=1 caller=- id=-");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_replies() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Each message of a stream of replies counts, also when many go in one piece");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    let answer = calls.statement(&rule, Request::new("cash")).await;
    answers(&rule, "entries of 1, 2 and 3", &[1, 2, 3], &answer);
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Statement OK requests=1 replies=3 caller=- id=-");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_streams() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call with two streams is logged with the messages of both");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    let answer = calls.converse(&rule, Request::new(posts(&[10, 20]))).await;
    answers(&rule, "replies of 10 and 20", &[10, 20], &answer);
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Exchange OK requests=2 replies=2 caller=- id=-");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_fails_half_way() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A stream that fails half-way is logged with its last word, which the caller gets too");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    let answer = calls.statement(&rule, Request::new(HALF)).await;
    ends(&rule, "DATA_LOSS", &answer);
    let word = answer.err().and_then(|status| status.metadata().get("x-word").cloned());
    let seen = format!("{word:?}");
    rule.holds(word.is_some_and(|word| word == "smoke"), "the metadata x-word: smoke in the trailers", seen);
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Statement DATA_LOSS requests=1 replies=2 caller=- id=-");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_message_is_one() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A message counts once, however many frames it takes");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    let mut large = post("cash", 1);
    if let Some(entry) = &mut large.entry {
        entry.text = "x".repeat(100_000);
    }
    ends(&rule, "OK", &calls.post(&rule, Request::new(large)).await);
    ends(&rule, "OK", &calls.statement(&rule, Request::new(LARGE)).await);
    let records = log.first(&rule, 2).await;
    reads!(rule, lines(&records), @r"
    Server /ledger.v1.Ledger/Post OK requests=1 replies=1 caller=- id=-
    Server /ledger.v1.Ledger/Statement OK requests=1 replies=1 caller=- id=-
    ");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_before_the_end() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call is logged when it has ended, and not before");
    let (log, ledger, _server, mut calls) = start(&trial, &rule).await;
    let mut entries = calls.waiting_statement(&rule, Request::new(WAITS)).await;
    let early = lines(&log.now());
    rule.holds(early == "no record", "no record while the stream is open", early);
    ledger.open();
    trial.did("the stream may go on");
    while let Ok(Some(_)) = rule.within("the stream ends", entries.message()).await {}
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Statement OK requests=1 replies=2 caller=- id=-");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call whose caller went away before the answer is logged as CANCELLED");
    let (log, ledger, _server, mut calls) = start(&trial, &rule).await;
    let call = calls.waiting_post(&rule, &ledger, Request::new(post(WAITS, 1))).await;
    call.abort();
    trial.did("the caller hangs up");
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Post CANCELLED requests=1 replies=0 caller=- id=-");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_leaves() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A stream whose reader went away before its end is logged as CANCELLED");
    let (log, _ledger, _server, mut calls) = start(&trial, &rule).await;
    let entries = calls.waiting_statement(&rule, Request::new(WAITS)).await;
    drop(entries);
    trial.did("the reader leaves after one entry");
    reads!(rule, log.line(&rule).await, @"Server /ledger.v1.Ledger/Statement CANCELLED requests=1 replies=1 caller=- id=-");
    trial.passed()
}
