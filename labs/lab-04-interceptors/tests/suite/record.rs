// Step 2: what a record tells of its call beside how it ended. No connection takes part.

use crate::{
    calls::told,
    ends::read,
    inner::{self, Inner, Request, data, request, trailers, well},
    logbook::{Logbook, lines},
};
use http::HeaderValue;
use lab_04_interceptors::{AccessLogLayer, Caller, REQUEST_ID, RequestId, Side};
use std::time::Duration;
use testkit::{Passed, Rule, Trial};
use tokio::time::sleep;
use tonic::{Code, body::Body};
use tower::{Layer as _, Service as _};

const SECTION: &str = "step-2-an-access-log";
const METHOD: &str = "/ledger.v1.Ledger/Statement";

#[tokio::test(start_paused = true)]
async fn the_time_is_that_of_the_whole_call() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The time of a call lasts from its beginning to its end, not to its headers");
    let log = Logbook::open(&trial);
    let inner = Inner::new(|_| async {
        sleep(Duration::from_millis(300)).await;
        let frames = [data(1), data(1), trailers(Code::Ok)];
        let frames = tokio_stream::StreamExt::then(tokio_stream::iter(frames), |frame| async {
            sleep(Duration::from_millis(500)).await;
            frame
        });
        Ok(http::Response::new(Body::new(http_body_util::StreamBody::new(Box::pin(frames)))))
    });
    let mut service = AccessLogLayer::new(Side::Server, log.sink()).layer(inner);
    let reply = inner::answer(&rule, &mut service, request(METHOD)).await;
    let _ = read(&rule, reply.into_body()).await;
    let times: Vec<_> = log.now().iter().map(|record| record.duration.as_millis()).collect();
    rule.holds(
        matches!(times[..], [1800..1820]),
        "one record of 1800 ms: headers after 300, then three frames, each after 500",
        format_args!("records of {times:?} ms"),
    );
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn the_time_begins_with_the_call() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The time of a call begins with `call`, also when nobody polls the future at once");
    let log = Logbook::open(&trial);
    let mut service = AccessLogLayer::new(Side::Server, log.sink()).layer(Inner::answering(well));
    inner::is_ready(&rule, &mut service).await;
    let call = service.call(request(METHOD));
    trial.did("the call is made, and its future is left alone for 200 ms");
    sleep(Duration::from_millis(200)).await;
    let reply = match rule.within("an answer to the call", call).await {
        Ok(reply) => reply,
        Err(status) => rule.broken("a reply", told(&status)),
    };
    let _ = read(&rule, reply.into_body()).await;
    let times: Vec<_> = log.now().iter().map(|record| record.duration.as_millis()).collect();
    rule.holds(
        matches!(times[..], [200..220]),
        "one record of 200 ms: so long was it before the first poll, and then all was ready",
        format_args!("records of {times:?} ms"),
    );
    trial.passed()
}

/// One call that is answered well, with this caller in the reply's extensions, and everything that was then logged.
async fn log_of(trial: &Trial, rule: &Rule<'_>, call: Request, caller: Option<&'static str>) -> Logbook {
    let log = Logbook::open(trial);
    let inner = Inner::answering(move || {
        let mut reply = well();
        if let Some(name) = caller {
            reply.extensions_mut().insert(Caller::new(name, &[]));
        }
        reply
    });
    let mut service = AccessLogLayer::new(Side::Server, log.sink()).layer(inner);
    let reply = inner::answer(rule, &mut service, call).await;
    let _ = read(rule, reply.into_body()).await;
    log
}

#[tokio::test]
async fn whose_call_it_was() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("The caller is the one in the reply's extensions: who calls is found out further in");
    trial.did("a call whose reply names ada");
    let log = log_of(&trial, &rule, request(METHOD), Some("ada")).await;
    reads!(rule, lines(&log.now()), @"Server /ledger.v1.Ledger/Statement OK requests=0 replies=1 caller=ada id=-");
    trial.did("a call whose reply names nobody");
    let log = log_of(&trial, &rule, request(METHOD), None).await;
    reads!(rule, lines(&log.now()), @"Server /ledger.v1.Ledger/Statement OK requests=0 replies=1 caller=- id=-");
    trial.passed()
}

#[tokio::test]
async fn which_id_it_had() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The id is the one in the request's extensions, and no header is");
    let mut call = request(METHOD);
    call.headers_mut().insert(REQUEST_ID, HeaderValue::from_static("from-a-header"));
    trial.did("a call with an id in its headers, and none in its extensions");
    let log = log_of(&trial, &rule, call, None).await;
    reads!(rule, lines(&log.now()), @"Server /ledger.v1.Ledger/Statement OK requests=0 replies=1 caller=- id=-");

    let id = RequestId::generate();
    let mut call = request(METHOD);
    call.extensions_mut().insert(id.clone());
    trial.did("a call with an id in its extensions");
    let log = log_of(&trial, &rule, call, None).await;
    let seen: Vec<_> = log.now().into_iter().map(|record| record.request_id).collect();
    rule.same(vec![Some(id)], seen);
    trial.passed()
}

#[tokio::test]
async fn no_token_is_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What a caller brought as authorization does not get into the log");
    let mut call = request(METHOD);
    call.headers_mut().insert("authorization", HeaderValue::from_static("Bearer my-typ0-s3cret"));
    trial.did("a call with a token, whose reply names nobody");
    let log = log_of(&trial, &rule, call, None).await;
    for record in log.now() {
        let told = format!("{record} {record:?}");
        rule.holds(!told.contains("s3cret"), "a record without the token", &told);
    }
    trial.passed()
}
