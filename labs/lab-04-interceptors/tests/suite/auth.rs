// Step 3: who is known, and what they may.

use crate::inner::{self, Inner, Reply, Request, request, well};
use http::{HeaderValue, header::AUTHORIZATION};
use lab_04_interceptors::{AuthLayer, Caller, Callers, Right};
use std::sync::{Arc, Mutex};
use testkit::{Passed, Rule, Trial, grpc};
use tonic::Status;
use tower::Layer;

const SECTION: &str = "step-3-who-may-do-what";
const POST: &str = "/ledger.v1.Ledger/Post";
const STATEMENT: &str = "/ledger.v1.Ledger/Statement";

fn callers() -> Callers {
    Callers::new()
        .with("ada-s3cret-7f", Caller::new("ada", &[Right::Read, Right::Write]))
        .with("bob-s3cret-21", Caller::new("bob", &[Right::Read]))
        .with("cyd-s3cret-c0", Caller::new("cyd", &[]))
}

/// A guarded service that remembers who reached it.
struct Guarded {
    service: <AuthLayer as Layer<Inner>>::Service,
    reached: Arc<Mutex<Vec<String>>>,
}

impl Guarded {
    fn new() -> Self {
        let reached = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&reached);
        let inner = Inner::new(move |request| {
            let caller = request.extensions().get::<Caller>().map_or("nobody", Caller::name).to_owned();
            seen.lock().expect("no panic while it is held").push(caller);
            std::future::ready(Ok(well()))
        });
        Self { service: AuthLayer::new(callers()).layer(inner), reached }
    }

    /// Calls with these values of `authorization`. `reached NAME`, or the code of the refusal.
    async fn call(&mut self, trial: &Trial, rule: &Rule<'_>, path: &str, values: &[&str]) -> (String, Reply) {
        trial.did(format!(
            "{path} with {}",
            if values.is_empty() { "no token".into() } else { values.join(" and ") }
        ));
        self.reached.lock().expect("no panic while it is held").clear();
        let reply = inner::answer(rule, &mut self.service, with_values(path, values)).await;
        let reached = self.reached.lock().expect("no panic while it is held").join(" and ");
        let seen = match Status::from_header_map(reply.headers()) {
            Some(status) if reached.is_empty() => grpc::name(status.code()).to_owned(),
            Some(status) => format!("{} after it had reached {reached}", grpc::name(status.code())),
            None => format!("reached {reached}"),
        };
        (seen, reply)
    }

    async fn gives(&mut self, trial: &Trial, rule: &Rule<'_>, path: &str, values: &[&str], expected: &str) {
        let (seen, _) = self.call(trial, rule, path, values).await;
        let what = match expected.strip_prefix("reached ") {
            Some(name) => format!("the handler is reached, with the caller {name}"),
            None => format!("{expected}, and the handler is not reached"),
        };
        rule.holds(seen == expected, what, &seen);
    }
}

fn with_values(path: &str, values: &[&str]) -> Request {
    let mut request = request(path);
    for value in values {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("fit for HTTP");
        request.headers_mut().append(AUTHORIZATION, value);
    }
    request
}

#[tokio::test]
async fn a_known_caller_reaches_the_handler() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call with the token of somebody known, who has the right, reaches the handler");
    let mut guarded = Guarded::new();
    guarded.gives(&trial, &rule, POST, &["Bearer ada-s3cret-7f"], "reached ada").await;
    guarded.gives(&trial, &rule, "/ledger.v1.Ledger/Import", &["Bearer ada-s3cret-7f"], "reached ada").await;
    guarded
        .gives(&trial, &rule, "/ledger.v1.Ledger/Exchange", &["Bearer ada-s3cret-7f"], "reached ada")
        .await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearer ada-s3cret-7f"], "reached ada").await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearer bob-s3cret-21"], "reached bob").await;
    trial.passed()
}

#[tokio::test]
async fn a_stranger_is_not_known() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("No token, or one that nobody has, is UNAUTHENTICATED: we do not know you");
    let mut guarded = Guarded::new();
    guarded.gives(&trial, &rule, POST, &[], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &[""], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearer"], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearer "], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, POST, &["Bearer guess"], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearer ada"], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearer gr\u{fc}n"], "UNAUTHENTICATED").await;
    trial.passed()
}

#[tokio::test]
async fn a_token_is_compared_whole() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A token is the right one byte for byte: no part of it, and nothing around it");
    let mut guarded = Guarded::new();
    let token = "bob-s3cret-21";
    let near = [&token[..1], &token[..12], &token[1..], "bob-s3cret-21x", "Bob-s3cret-21", "bob-s3cret-22"];
    for near in near {
        guarded.gives(&trial, &rule, STATEMENT, &[&format!("Bearer {near}")], "UNAUTHENTICATED").await;
    }
    let found = callers().find(token.as_bytes()).map(|caller| caller.name().to_owned());
    rule.same(Some("bob".to_owned()), found);
    for part in [&b""[..], b"b", b"bob-s3cret-2", b"bob-s3cret-21 "] {
        let found = callers().find(part).map(|caller| caller.name().to_owned());
        let shown = String::from_utf8_lossy(part);
        rule.holds(found.is_none(), format_args!("find({shown:?}) is None"), format_args!("{found:?}"));
    }
    trial.passed()
}

#[tokio::test]
async fn the_scheme_is_bearer() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The scheme is Bearer, in capitals or not; no other one is taken");
    let mut guarded = Guarded::new();
    guarded.gives(&trial, &rule, STATEMENT, &["bearer bob-s3cret-21"], "reached bob").await;
    guarded.gives(&trial, &rule, STATEMENT, &["BEARER bob-s3cret-21"], "reached bob").await;
    guarded.gives(&trial, &rule, STATEMENT, &["Basic bob-s3cret-21"], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &["bob-s3cret-21"], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearerbob-s3cret-21"], "UNAUTHENTICATED").await;
    trial.passed()
}

#[tokio::test]
async fn two_tokens_are_as_good_as_none() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call with two values of authorization fails with UNAUTHENTICATED");
    let mut guarded = Guarded::new();
    let (ada, bob) = ("Bearer ada-s3cret-7f", "Bearer bob-s3cret-21");
    guarded.gives(&trial, &rule, STATEMENT, &[bob, ada], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &[bob, "Bearer guess"], "UNAUTHENTICATED").await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearer guess", bob], "UNAUTHENTICATED").await;
    trial.passed()
}

#[tokio::test]
async fn a_known_caller_without_the_right() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A known caller without the right fails with PERMISSION_DENIED");
    let mut guarded = Guarded::new();
    guarded.gives(&trial, &rule, POST, &["Bearer bob-s3cret-21"], "PERMISSION_DENIED").await;
    guarded
        .gives(&trial, &rule, "/ledger.v1.Ledger/Import", &["Bearer bob-s3cret-21"], "PERMISSION_DENIED")
        .await;
    guarded.gives(&trial, &rule, STATEMENT, &["Bearer cyd-s3cret-c0"], "PERMISSION_DENIED").await;
    trial.passed()
}

#[tokio::test]
async fn a_method_of_which_nobody_spoke_is_closed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A method without an entry in right_for is for nobody, whatever rights they have");
    let mut guarded = Guarded::new();
    for path in ["/ledger.v1.Ledger/Erase", "/ledger.v2.Ledger/Post", "/"] {
        guarded.gives(&trial, &rule, path, &["Bearer ada-s3cret-7f"], "PERMISSION_DENIED").await;
    }
    guarded.gives(&trial, &rule, "/ledger.v1.Ledger/Erase", &["Bearer guess"], "UNAUTHENTICATED").await;
    trial.passed()
}

#[tokio::test]
async fn a_refusal_is_a_reply_of_grpc() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A refusal is a reply as gRPC knows it: HTTP 200, and the status in its headers");
    let mut guarded = Guarded::new();
    for values in [&[][..], &["Bearer bob-s3cret-21"]] {
        let (_, reply) = guarded.call(&trial, &rule, POST, values).await;
        let kind = reply.headers().get("content-type").map(|kind| format!("{kind:?}")).unwrap_or_default();
        let seen = format!("HTTP {}, content-type {kind}", reply.status().as_u16());
        rule.same("HTTP 200, content-type \"application/grpc\"".to_owned(), seen);
    }
    trial.passed()
}

#[tokio::test]
async fn the_reply_says_who_called() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("The caller is in the reply's extensions as soon as they are known, refused or not");
    let mut guarded = Guarded::new();
    for (path, values, expected) in [
        (STATEMENT, &["Bearer bob-s3cret-21"][..], "bob"),
        (POST, &["Bearer bob-s3cret-21"][..], "bob"),
        (POST, &[][..], "nobody"),
        (POST, &["Bearer guess"][..], "nobody"),
    ] {
        let (_, reply) = guarded.call(&trial, &rule, path, values).await;
        let seen = reply.extensions().get::<Caller>().map_or("nobody", Caller::name);
        rule.holds(seen == expected, format_args!("the reply names {expected}"), seen);
    }
    trial.passed()
}

#[tokio::test]
async fn no_secret_is_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("No token stands in a refusal or in what is printed: neither ours nor the caller's");
    let mut guarded = Guarded::new();
    let mut told = vec![format!("{:?}", callers()), format!("{:?}", AuthLayer::new(callers()))];
    for values in [&["Bearer my-typ0"][..], &["Basic my-typ0"], &["Bearer bob-s3cret-21"]] {
        let (_, reply) = guarded.call(&trial, &rule, POST, values).await;
        told.push(format!("{:?} {:?}", reply.headers(), reply.extensions().get::<Caller>()));
        let status = Status::from_header_map(reply.headers());
        told.push(status.map_or_else(String::new, |status| status.message().to_owned()));
    }
    for told in told {
        let secret = ["my-typ0", "s3cret"].into_iter().find(|secret| told.contains(secret));
        rule.holds(secret.is_none(), "no token in it", &told);
    }
    trial.passed()
}

#[tokio::test]
async fn the_service_is_asked_and_its_error_passed_on() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The service within is called when it is ready, and its error is passed on");
    let known = || with_values(POST, &["Bearer ada-s3cret-7f"]);
    let inner = Inner::answering(well);
    inner::is_asked_first(&rule, &inner, AuthLayer::new(callers()).layer(inner.clone()), known).await;

    let inner = Inner::new(|_| std::future::ready(Err("the disk is on fire".into())));
    let called = inner::call(&rule, &mut AuthLayer::new(callers()).layer(inner), known()).await;
    let seen = called.map_or_else(|error| error.to_string(), |_| "a reply".to_owned());
    rule.holds(seen == "the disk is on fire", "the error of the service within", &seen);
    trial.passed()
}
