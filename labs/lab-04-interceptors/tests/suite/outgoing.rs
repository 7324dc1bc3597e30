// Step 4: what travels on to the next server.

use crate::{
    calls::{told, with_id},
    inner::{self, Inner, Request, data, reply, request, trailers},
    logbook::Logbook,
};
use lab_04_interceptors::{Context, DRY_RUN, DryRun, REQUEST_ID, outbound, tell_dry_run};
use std::sync::{Arc, Mutex};
use testkit::{Passed, Rule, Trial};
use tonic::Code;

const SECTION: &str = "step-4-outgoing-calls";

/// The context of a call with the id `req-1`.
fn context(rule: &Rule<'_>, dry_run: bool) -> Context {
    let mut request = with_id(rule, "req-1", ());
    request.extensions_mut().insert(DryRun(dry_run));
    let context = Context::of(&request);
    context
        .unwrap_or_else(|status| rule.broken("a context, for all of it is in the extensions", told(&status)))
}

/// The metadata that a call has at the other end of a connection: `name: value`, each on a line.
async fn at_the_other_end(trial: &Trial, rule: &Rule<'_>, onward: tonic::Request<()>) -> String {
    let seen = Arc::new(Mutex::new(String::new()));
    let arrived = Arc::clone(&seen);
    let inner = Inner::new(move |request: Request| {
        let metadata = request.headers().iter().map(|(name, value)| format!("{name}: {value:?}"));
        *arrived.lock().expect("no panic while it is held") = metadata.collect::<Vec<_>>().join("\n");
        std::future::ready(Ok(reply(vec![data(0), trailers(Code::Ok)])))
    });
    let (metadata, extensions, ()) = onward.into_parts();
    let mut call = request("/ledger.v1.Audit/Note");
    *call.headers_mut() = metadata.into_headers();
    *call.extensions_mut() = extensions;
    let mut stack = outbound(inner, Logbook::open(trial).sink());
    let _ = inner::answer(rule, &mut stack, call).await;
    let seen = seen.lock().expect("no panic while it is held").clone();
    seen.replace('"', "")
}

#[tokio::test]
async fn the_id_travels_on() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A call on behalf of another one has its id, and no dry run unless that one is dry");
    let seen = at_the_other_end(&trial, &rule, context(&rule, false).onward(())).await;
    rule.same(format!("{REQUEST_ID}: req-1"), seen);
    trial.passed()
}

#[tokio::test]
async fn the_dry_run_travels_on() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A call on behalf of a dry run says so: otherwise the next server does it for real");
    let seen = at_the_other_end(&trial, &rule, context(&rule, true).onward(())).await;
    let mut lines: Vec<_> = seen.lines().collect();
    lines.sort_unstable();
    rule.same(format!("{DRY_RUN}: true\n{REQUEST_ID}: req-1"), lines.join("\n"));
    trial.passed()
}

#[tokio::test]
async fn an_interceptor_tells_the_dry_run() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("DryRun(true) in the extensions becomes metadata, once; anything else passes as it is");
    let told = |request: tonic::Request<()>| match tell_dry_run(request) {
        Ok(request) => {
            let values = request.metadata().get_all(DRY_RUN).iter();
            values.map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" and ").replace('"', "")
        }
        Err(status) => format!("the error {}", told(&status)),
    };
    rule.same(String::new(), told(tonic::Request::new(())));
    let mut dry = tonic::Request::new(());
    dry.extensions_mut().insert(DryRun(true));
    rule.same("true".to_owned(), told(dry));
    let mut real = tonic::Request::new(());
    real.extensions_mut().insert(DryRun(false));
    rule.same(String::new(), told(real));
    let mut twice = tonic::Request::new(());
    twice.metadata_mut().insert(DRY_RUN, "false".parse().expect("plain letters"));
    twice.extensions_mut().insert(DryRun(true));
    trial.did("a dry run whose metadata says false already");
    rule.same("true".to_owned(), told(twice));
    trial.passed()
}
