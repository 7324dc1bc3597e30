// Step 1: which id a call has, and where it stands.

use crate::inner::{self, Inner, Request, request, well};
use http::{HeaderMap, HeaderValue};
use lab_04_interceptors::{REQUEST_ID, RequestId, RequestIdLayer};
use std::sync::{Arc, Mutex};
use testkit::{Passed, Rule, Trial};
use tonic::Status;
use tower::Layer as _;

const SECTION: &str = "step-1-request-ids";
const POST: &str = "/ledger.v1.Ledger/Post";

/// The ids of one call, wherever they can stand.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ids {
    extension: String,
    request: String,
    reply: String,
}

impl Ids {
    fn all(id: &str) -> Self {
        Self { extension: id.to_owned(), request: id.to_owned(), reply: id.to_owned() }
    }
}

/// A call that goes through the layer, and the ids that it had.
async fn through(rule: &Rule<'_>, request: Request) -> Ids {
    let ids = Arc::new(Mutex::new(Ids::default()));
    let seen = Arc::clone(&ids);
    let inner = Inner::new(move |request| {
        let mut seen = seen.lock().expect("no panic while it is held");
        seen.extension =
            request.extensions().get::<RequestId>().map_or("none".to_owned(), ToString::to_string);
        seen.request = in_metadata(request.headers());
        std::future::ready(Ok(well()))
    });
    let reply = inner::answer(rule, &mut RequestIdLayer.layer(inner), request).await;
    let mut ids = ids.lock().expect("no panic while it is held").clone();
    ids.reply = in_metadata(reply.headers());
    ids
}

fn in_metadata(headers: &HeaderMap) -> String {
    let values: Vec<_> = headers.get_all(REQUEST_ID).iter().map(|value| format!("{value:?}")).collect();
    match &values[..] {
        [] => "none".to_owned(),
        values => values.join(" and ").replace('"', ""),
    }
}

fn with_id(id: &[u8]) -> Request {
    let mut request = request(POST);
    request.headers_mut().insert(REQUEST_ID, HeaderValue::from_bytes(id).expect("fit for HTTP"));
    request
}

/// One new id, the same in every place.
fn is_new(rule: &Rule<'_>, ids: &Ids, sent: &str) {
    let sound = ids.extension.len() <= 64
        && !ids.extension.is_empty()
        && ids.extension != "none"
        && ids.extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    rule.holds(
        sound && *ids == Ids::all(&ids.extension) && ids.extension != sent,
        "one new id: the same in the extensions, in the request's metadata and in the reply's",
        format_args!("{ids:?}"),
    );
}

#[tokio::test]
async fn parse_takes_what_an_id_is() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An id is 1 to 64 letters and digits of ASCII, hyphens, underscores and dots");
    let every: String = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let longest = "x".repeat(64);
    for id in [&every, "-_.", "7", &longest] {
        let seen = RequestId::parse(id).map(|id| id.to_string());
        rule.holds(seen.as_deref() == Some(id), format_args!("{id:?} is an id"), format_args!("{seen:?}"));
    }
    trial.passed()
}

#[tokio::test]
async fn parse_refuses_what_is_none() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What is empty, longer than 64 or has any other character in it is no id");
    let too_long = "x".repeat(65);
    for no_id in ["", &too_long, "a b", "a=b", "a\nb", "a\"b", "a/b", "a:b", "a,b", "né", "a\0b", "[id]"] {
        let seen = RequestId::parse(no_id);
        rule.holds(seen.is_none(), format_args!("{no_id:?} is no id"), format_args!("{seen:?}"));
    }
    trial.passed()
}

#[tokio::test]
async fn the_callers_id_is_kept() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A caller's id goes into the extensions, on in the metadata, and back on the reply");
    let longest = "x".repeat(64);
    for id in ["req-42_A.z", &longest] {
        trial.did(format!("a call with the id {id}"));
        rule.same(Ids::all(id), through(&rule, with_id(id.as_bytes())).await);
    }
    trial.passed()
}

#[tokio::test]
async fn without_an_id_one_is_made() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call without an id gets a new one, each call another");
    let first = through(&rule, request(POST)).await;
    is_new(&rule, &first, "");
    let second = through(&rule, request(POST)).await;
    is_new(&rule, &second, &first.extension);
    trial.passed()
}

#[tokio::test]
async fn what_is_no_id_is_replaced() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What a caller sends and is no id goes nowhere: the call gets a new one");
    let too_long = [b'x'; 65];
    for sent in [&b""[..], b"1 code=OK", b"a\tb", b"caller=root", b"\"", b"n\xc3\xa9", b"\xff", &too_long] {
        let shown = String::from_utf8_lossy(sent);
        trial.did(format!("a call with {shown:?} as its id"));
        is_new(&rule, &through(&rule, with_id(sent)).await, &shown);
    }
    trial.passed()
}

#[tokio::test]
async fn two_ids_are_as_good_as_none() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that brings two ids gets a new one in place of both");
    let mut request = with_id(b"one");
    request.headers_mut().append(REQUEST_ID, HeaderValue::from_static("two"));
    let ids = through(&rule, request).await;
    is_new(&rule, &ids, "one");
    is_new(&rule, &ids, "two");
    trial.passed()
}

#[tokio::test]
async fn an_id_in_the_extensions_comes_first() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("An id that code of this process has put into the extensions wins over the metadata");
    let id = RequestId::parse("from-the-handler");
    let id = id.unwrap_or_else(|| rule.broken("\"from-the-handler\" is an id", "None"));
    let mut request = request(POST);
    request.extensions_mut().insert(id.clone());
    trial.did("a call with an id in its extensions");
    rule.same(Ids::all("from-the-handler"), through(&rule, request).await);

    let mut request = with_id(b"from-the-wire");
    request.extensions_mut().insert(id);
    trial.did("a call with another one in its metadata as well");
    rule.same(Ids::all("from-the-handler"), through(&rule, request).await);
    trial.passed()
}

#[tokio::test]
async fn a_refusal_has_the_id_too() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Every reply has the id of its call, and no other: a refusal too");
    let inner = Inner::answering(|| {
        let mut refusal = Status::permission_denied("no").into_http();
        refusal.headers_mut().insert(REQUEST_ID, HeaderValue::from_static("of-somebody-further-in"));
        refusal
    });
    let reply = inner::answer(&rule, &mut RequestIdLayer.layer(inner), with_id(b"req-1")).await;
    rule.same("req-1".to_owned(), in_metadata(reply.headers()));
    let code = reply.headers().get("grpc-status").map(HeaderValue::as_bytes);
    rule.holds(code == Some(b"7"), "its status is still PERMISSION_DENIED", format_args!("{code:?}"));
    trial.passed()
}

#[tokio::test]
async fn the_service_is_asked_and_its_error_passed_on() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The service within is called when it is ready, and its error is passed on");
    let inner = Inner::answering(well);
    inner::is_asked_first(&rule, &inner, RequestIdLayer.layer(inner.clone()), || request(POST)).await;

    let inner = Inner::new(|_| std::future::ready(Err("the disk is on fire".into())));
    let called = inner::call(&rule, &mut RequestIdLayer.layer(inner), request(POST)).await;
    let seen = called.map_or_else(|error| error.to_string(), |_| "a reply".to_owned());
    rule.holds(seen == "the disk is on fire", "the error of the service within", &seen);
    trial.passed()
}
