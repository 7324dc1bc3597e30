// Step 2: the ways in which a call can end, and what else a log must and must not do. No connection takes part.

use crate::{
    inner::{self, Inner, Reply, data, reply, request, trailers, well},
    logbook::{Logbook, lines},
};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use lab_04_interceptors::{AccessLogLayer, Side};
use std::{future::poll_fn, pin::pin, task::Poll};
use testkit::{Passed, Rule, Trial, grpc};
use tonic::{Code, Status, body::Body};
use tower::{Layer as _, Service as _};

const SECTION: &str = "step-2-an-access-log";
const METHOD: &str = "/ledger.v1.Ledger/Statement";

/// Reads a body as a transport does, to its end: the data, and how it ended.
pub async fn read(rule: &Rule<'_>, mut body: Body) -> (Vec<u8>, String) {
    let mut data = Vec::new();
    let reading = async {
        loop {
            match body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => data.extend_from_slice(&bytes),
                    Err(frame) => break in_words(&frame.into_trailers().unwrap_or_default()),
                },
                Some(Err(status)) => break grpc::name(status.code()).to_owned(),
                None => break "no trailers".to_owned(),
            }
        }
    };
    let end = rule.within("the body comes to its end", reading).await;
    (data, end)
}

fn in_words(trailers: &HeaderMap) -> String {
    let value = |name: &str| trailers.get(name).map_or("none", |value| value.to_str().unwrap_or("?"));
    format!("trailers with grpc-status {} and x-word {}", value("grpc-status"), value("x-word"))
}

/// One call that is answered like this and read to its end, and everything that was then logged.
async fn log_of(
    trial: &Trial,
    rule: &Rule<'_>,
    answer: impl Fn() -> Reply + Send + Sync + 'static,
) -> String {
    let log = Logbook::open(trial);
    let mut service = AccessLogLayer::new(Side::Server, log.sink()).layer(Inner::answering(answer));
    let reply = inner::answer(rule, &mut service, request(METHOD)).await;
    let (_, end) = read(rule, reply.into_body()).await;
    trial.did(format!("the reply was read to its end: {end}"));
    lines(&log.now())
}

#[tokio::test]
async fn one_record_for_each_call() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A call has one record, also when its body is dropped after the trailers have passed");
    let seen = log_of(&trial, &rule, well).await;
    reads!(rule, seen, @"Server /ledger.v1.Ledger/Statement OK requests=0 replies=1 caller=- id=-");

    trial.did("a call that fails at once, with its status in the headers");
    let seen = log_of(&trial, &rule, || Status::aborted("no").into_http()).await;
    reads!(rule, seen, @"Server /ledger.v1.Ledger/Statement ABORTED requests=0 replies=0 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn a_body_that_fails() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A reply whose body fails is logged with the code of that failure, once");
    let failing = || reply(vec![data(1), Err(Status::unavailable("connection lost"))]);
    let seen = log_of(&trial, &rule, failing).await;
    reads!(rule, seen, @"Server /ledger.v1.Ledger/Statement UNAVAILABLE requests=0 replies=1 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn an_end_without_a_status() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A reply that ends without a status is logged as UNKNOWN, for nobody knows");
    let seen = log_of(&trial, &rule, || reply(vec![data(1)])).await;
    reads!(rule, seen, @"Server /ledger.v1.Ledger/Statement UNKNOWN requests=0 replies=1 caller=- id=-");

    trial.did("a call whose trailers have no status in them");
    let no_status = || reply(vec![data(1), Ok(inner::Frame::trailers(HeaderMap::new()))]);
    let seen = log_of(&trial, &rule, no_status).await;
    reads!(rule, seen, @"Server /ledger.v1.Ledger/Statement UNKNOWN requests=0 replies=1 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn a_reply_without_a_body() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A reply that has no status and no body has ended: it is logged as UNKNOWN");
    let seen = log_of(&trial, &rule, || http::Response::new(Body::empty())).await;
    reads!(rule, seen, @"Server /ledger.v1.Ledger/Statement UNKNOWN requests=0 replies=0 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn a_service_that_fails() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A service that fails instead of answering is logged with the code of its error, once");
    let log = Logbook::open(&trial);
    let inner = Inner::new(|_| std::future::ready(Err(Status::unavailable("nobody listens").into())));
    let mut service = AccessLogLayer::new(Side::Client, log.sink()).layer(inner);
    let called = inner::call(&rule, &mut service, request(METHOD)).await;
    let code = called.map_or_else(|status| grpc::name(status.code()), |_| "a reply");
    rule.holds(code == "UNAVAILABLE", "the error is passed on as UNAVAILABLE", code);
    reads!(rule, lines(&log.now()), @"Client /ledger.v1.Ledger/Statement UNAVAILABLE requests=0 replies=0 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn a_call_that_is_dropped() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that is dropped before its answer is logged as CANCELLED, once");
    let log = Logbook::open(&trial);
    let mut service = AccessLogLayer::new(Side::Client, log.sink())
        .layer(Inner::new(|_| std::future::pending::<Result<Reply, _>>()));
    inner::is_ready(&rule, &mut service).await;
    {
        let mut call = pin!(service.call(request(METHOD)));
        let polled = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        rule.holds(polled.is_pending(), "the call waits for its answer", "it was answered");
        let early = lines(&log.now());
        rule.holds(early == "no record", "no record while the call waits", early);
        trial.did("the future of the call is dropped");
    }
    reads!(rule, lines(&log.now()), @"Client /ledger.v1.Ledger/Statement CANCELLED requests=0 replies=0 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn a_call_that_nobody_polls() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A call begins with `call`: one that is dropped before its first poll is CANCELLED too");
    let log = Logbook::open(&trial);
    let mut service = AccessLogLayer::new(Side::Client, log.sink()).layer(Inner::answering(well));
    inner::is_ready(&rule, &mut service).await;
    drop(service.call(request(METHOD)));
    trial.did("the future of the call is dropped, and nobody has polled it");
    reads!(rule, lines(&log.now()), @"Client /ledger.v1.Ledger/Statement CANCELLED requests=0 replies=0 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn what_passes_is_not_changed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Headers, data and trailers pass the log as they are, both ways");
    let log = Logbook::open(&trial);
    let inner = Inner::new(|request: inner::Request| async move {
        // What came in goes out, and then two messages more.
        let came = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
        let came = inner::Frame::data(came.unwrap_or_default());
        let mut reply = reply(vec![Ok(came), data(2), data(0), trailers(Code::Ok)]);
        reply.headers_mut().insert("x-head", http::HeaderValue::from_static("of the handler"));
        Ok(reply)
    });
    let mut service = AccessLogLayer::new(Side::Server, log.sink()).layer(inner);
    let sent = [inner::message(4), inner::message(1)].concat();
    let mut call = request(METHOD);
    *call.body_mut() = Body::new(http_body_util::Full::new(sent.clone().into()));
    let reply = inner::answer(&rule, &mut service, call).await;
    let head = reply.headers().get("x-head").is_some_and(|value| value == "of the handler");
    rule.holds(head, "the header x-head on the reply", format_args!("{:?}", reply.headers()));
    let (data, end) = read(&rule, reply.into_body()).await;
    let expected = [&sent[..], &inner::message(2), &inner::message(0)].concat();
    rule.same(expected, data);
    rule.same("trailers with grpc-status 0 and x-word of the handler".to_owned(), end);
    reads!(rule, lines(&log.now()), @"Server /ledger.v1.Ledger/Statement OK requests=2 replies=4 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn the_service_is_asked_first() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The service within is called when it is ready");
    let log = Logbook::open(&trial);
    let inner = Inner::answering(well);
    let layer = AccessLogLayer::new(Side::Server, log.sink());
    inner::is_asked_first(&rule, &inner, layer.layer(inner.clone()), || request(METHOD)).await;
    trial.passed()
}
