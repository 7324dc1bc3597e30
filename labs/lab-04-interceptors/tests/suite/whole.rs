// Step 5: a whole server, from its connection to its book, and the server behind it.

use crate::{
    calls::{Calls, connect, ends, posts},
    logbook::{Logbook, lines},
    scripted::post,
};
use lab_04_interceptors::{
    Book, Caller, Callers, DRY_RUN, Ledger, REQUEST_ID, RequestId, Right, Stack, inbound, outbound,
};
use proto::{
    grpc::health::v1::{HealthCheckRequest, health_client::HealthClient},
    ledger::v1::{
        NoteRequest, NoteResponse,
        audit_server::{Audit, AuditServer},
        ledger_client::LedgerClient,
    },
    users::v1::{GetUserRequest, user_service_client::UserServiceClient},
};
use std::sync::{Arc, Mutex};
use testkit::{
    Passed, Rule, Trial,
    grpc::{self, Server, Wire},
};
use tonic::{Request, Response, Status, metadata::MetadataMap, service::Routes};

const SECTION: &str = "step-5-the-whole-stack";

/// An audit that keeps the metadata of each note.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<MetadataMap>>>);

impl Notes {
    pub fn notes(&self) -> Vec<MetadataMap> {
        self.0.lock().expect("no panic while it is held").clone()
    }
}

#[tonic::async_trait]
impl Audit for Notes {
    async fn note(&self, request: Request<NoteRequest>) -> Result<Response<NoteResponse>, Status> {
        self.0.lock().expect("no panic while it is held").push(request.metadata().clone());
        Ok(Response::new(NoteResponse {}))
    }
}

/// A ledger behind [`inbound`] with health beside it, and an audit that it calls through [`outbound`].
pub struct Bank {
    pub audit: Notes,
    /// What the ledger's server logs.
    log: Logbook,
    /// What the ledger logs as a client of the audit.
    onward: Logbook,
    wire: Wire,
    _servers: [Server; 2],
}

impl Bank {
    /// Opens it, with a client of the ledger.
    pub async fn open(trial: &Trial, rule: &Rule<'_>) -> (Self, Calls<Wire>) {
        let (audit, log, onward) = (Notes::default(), Logbook::open(trial), Logbook::open(trial));
        let auditing = grpc::serve(Routes::new(AuditServer::new(audit.clone()))).await;
        let to_audit = connect(trial, rule, &auditing).await;
        let to_audit = Stack::new(onward.oversee(outbound(to_audit, onward.sink())));
        let ledger = Ledger::with_audit(Book::new(), to_audit);
        let callers = Callers::new()
            .with("ada-s3cret-7f", Caller::new("ada", &[Right::Read, Right::Write]))
            .with("bob-s3cret-21", Caller::new("bob", &[Right::Read]));
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status("ledger.v1.Ledger", tonic_health::ServingStatus::Serving).await;
        let stack = inbound(ledger, Routes::new(health_service), callers, log.sink());
        let serving = grpc::serve_stack(log.oversee(stack)).await;
        let wire = connect(trial, rule, &serving).await;
        let calls = Calls(LedgerClient::new(wire.clone()));
        (Self { audit, log, onward, wire, _servers: [auditing, serving] }, calls)
    }
}

/// A request with a token.
pub fn bearer<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().expect("plain letters");
    request.metadata_mut().insert("authorization", value);
    request
}

/// The same with an id.
fn with_id<T>(id: &str, mut request: Request<T>) -> Request<T> {
    request.metadata_mut().insert(REQUEST_ID, id.parse().expect("fit for HTTP"));
    request
}

/// One value of each note: what the audit got under this name.
fn of_notes(bank: &Bank, name: &str) -> String {
    let value = |note: &MetadataMap| {
        let values = note.get_all(name).iter().map(|value| value.to_str().unwrap_or("?").to_owned());
        Some(values.collect::<Vec<_>>().join(" and "))
            .filter(|text| !text.is_empty())
            .unwrap_or("none".into())
    };
    bank.audit.notes().iter().map(value).collect::<Vec<_>>().join(", ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_id_reaches_the_next_server() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The id of a call is on every call that it causes, in unary calls and in streams");
    let (bank, mut calls) = Bank::open(&trial, &rule).await;
    let ada = "ada-s3cret-7f";
    ends(&rule, "OK", &calls.post(&rule, with_id("unary", bearer(ada, post("cash", 1)))).await);
    ends(&rule, "OK", &calls.import(&rule, with_id("import", bearer(ada, posts(&[1, 2])))).await);
    ends(&rule, "OK", &calls.exchange(&rule, with_id("exchange", bearer(ada, posts(&[1, 2])))).await);
    rule.same("unary, import, import, exchange, exchange".to_owned(), of_notes(&bank, REQUEST_ID));
    let logged = bank.onward.first(&rule, 5).await;
    let logged: Vec<_> =
        logged.iter().filter_map(|record| record.request_id.as_ref()).map(RequestId::as_str).collect();
    rule.same("unary, import, import, exchange, exchange".to_owned(), logged.join(", "));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dry_run_reaches_the_next_server() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What a dry run causes is a dry run too, in unary calls and in streams");
    let (bank, mut calls) = Bank::open(&trial, &rule).await;
    let dry = |mut request: Request<_>| {
        request.metadata_mut().insert(DRY_RUN, "true".parse().expect("plain letters"));
        request
    };
    let mut single = bearer("ada-s3cret-7f", post("cash", 1));
    single.metadata_mut().insert(DRY_RUN, "true".parse().expect("plain letters"));
    ends(&rule, "OK", &calls.post(&rule, single).await);
    ends(&rule, "OK", &calls.import(&rule, dry(bearer("ada-s3cret-7f", posts(&[1])))).await);
    ends(&rule, "OK", &calls.exchange(&rule, dry(bearer("ada-s3cret-7f", posts(&[1])))).await);
    trial.did("a Post for real");
    ends(&rule, "OK", &calls.post(&rule, bearer("ada-s3cret-7f", post("cash", 1))).await);
    rule.same("true, true, true, none".to_owned(), of_notes(&bank, DRY_RUN));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_stays_here() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A caller's token goes no further than the server that it was meant for");
    let (bank, mut calls) = Bank::open(&trial, &rule).await;
    ends(&rule, "OK", &calls.post(&rule, bearer("ada-s3cret-7f", post("cash", 1))).await);
    for note in bank.audit.notes() {
        let told = format!("{:?}", note.into_headers());
        rule.holds(!told.contains("s3cret"), "no token in what the audit gets", told);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_called_what() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A server logs who called what, with the caller's own id");
    let (bank, mut calls) = Bank::open(&trial, &rule).await;
    ends(&rule, "OK", &calls.import(&rule, with_id("a-1", bearer("ada-s3cret-7f", posts(&[1, 2])))).await);
    ends(&rule, "OK", &calls.statement(&rule, with_id("b-1", bearer("bob-s3cret-21", "cash"))).await);
    reads!(rule, lines(&bank.log.first(&rule, 2).await), @r"
    Server /ledger.v1.Ledger/Import OK requests=2 replies=1 caller=ada id=a-1
    Server /ledger.v1.Ledger/Statement OK requests=1 replies=2 caller=bob id=b-1
    ");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_logged() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that is refused is logged too, with the id that its caller gets to see");
    let (bank, mut calls) = Bank::open(&trial, &rule).await;
    let nobody = with_id("n-1", Request::new(post("cash", 1)));
    let refused = rule.within("an answer to Post", calls.0.post(nobody)).await;
    ends(&rule, "UNAUTHENTICATED", &refused);
    let id = refused.err().and_then(|status| status.metadata().get(REQUEST_ID).cloned());
    rule.holds(
        id.as_ref().is_some_and(|id| id == "n-1"),
        "the id n-1 on the refusal",
        format_args!("{id:?}"),
    );
    ends(
        &rule,
        "UNAUTHENTICATED",
        &calls.post(&rule, with_id("g-1", bearer("guess", post("cash", 1)))).await,
    );
    ends(
        &rule,
        "PERMISSION_DENIED",
        &calls.post(&rule, with_id("b-1", bearer("bob-s3cret-21", post("cash", 1)))).await,
    );
    let mut odd = with_id("a-1", bearer("ada-s3cret-7f", post("cash", 1)));
    odd.metadata_mut().insert(DRY_RUN, "perhaps".parse().expect("plain letters"));
    ends(&rule, "INVALID_ARGUMENT", &calls.post(&rule, odd).await);
    let mut both = with_id("n-2", Request::new(post("cash", 1)));
    both.metadata_mut().insert(DRY_RUN, "perhaps".parse().expect("plain letters"));
    trial.did("a stranger with an odd x-dry-run: that they are a stranger comes first");
    ends(&rule, "UNAUTHENTICATED", &calls.post(&rule, both).await);
    reads!(rule, lines(&bank.log.first(&rule, 5).await), @r"
    Server /ledger.v1.Ledger/Post UNAUTHENTICATED requests=0 replies=0 caller=- id=n-1
    Server /ledger.v1.Ledger/Post UNAUTHENTICATED requests=0 replies=0 caller=- id=g-1
    Server /ledger.v1.Ledger/Post PERMISSION_DENIED requests=0 replies=0 caller=bob id=b-1
    Server /ledger.v1.Ledger/Post INVALID_ARGUMENT requests=0 replies=0 caller=ada id=a-1
    Server /ledger.v1.Ledger/Post UNAUTHENTICATED requests=0 replies=0 caller=- id=n-2
    ");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_needs_no_token() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Health answers a prober who has no token, and is logged as every call");
    let (bank, _calls) = Bank::open(&trial, &rule).await;
    let mut health = HealthClient::new(bank.wire.clone());
    let check = with_id("h-1", Request::new(HealthCheckRequest { service: "ledger.v1.Ledger".into() }));
    let answer = rule.within("an answer to Check", health.check(check)).await;
    ends(&rule, "OK", &answer);
    let status = answer.map_or(-1, |answer| answer.into_inner().status);
    rule.holds(status == 1, "SERVING", format_args!("the status {status}"));
    // A word that health has no use for is none of the ledger's business.
    let mut odd = with_id("h-2", Request::new(HealthCheckRequest { service: String::new() }));
    odd.metadata_mut().insert(DRY_RUN, "perhaps".parse().expect("plain letters"));
    ends(&rule, "OK", &rule.within("an answer to Check", health.check(odd)).await);
    reads!(rule, lines(&bank.log.first(&rule, 2).await), @r"
    Server /grpc.health.v1.Health/Check OK requests=1 replies=1 caller=- id=h-1
    Server /grpc.health.v1.Health/Check OK requests=1 replies=1 caller=- id=h-2
    ");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_service_is_logged() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call to a service that is not there is UNIMPLEMENTED, and logged");
    let (bank, _calls) = Bank::open(&trial, &rule).await;
    let mut users = UserServiceClient::new(bank.wire.clone());
    let user = with_id("u-1", Request::new(GetUserRequest { id: "u1".into() }));
    ends(&rule, "UNIMPLEMENTED", &rule.within("an answer to GetUser", users.get_user(user)).await);
    reads!(rule, lines(&bank.log.first(&rule, 1).await), @"Server /users.v1.UserService/GetUser UNIMPLEMENTED requests=0 replies=0 caller=- id=u-1");
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_writes_nothing_into_the_log() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Nothing that a stranger makes up gets into the log: neither an id nor a token");
    let (bank, mut calls) = Bank::open(&trial, &rule).await;
    let forged = with_id("1 code=OK caller=ada", bearer("my-typ0-s3cret", post("cash", 1)));
    ends(&rule, "UNAUTHENTICATED", &calls.post(&rule, forged).await);
    ends(&rule, "OK", &calls.post(&rule, bearer("ada-s3cret-7f", post("cash", 1))).await);
    for record in bank.log.first(&rule, 2).await {
        let told = format!("{record} {record:?}");
        let bad = ["s3cret", "code=OK"].into_iter().find(|bad| told.contains(bad));
        rule.holds(bad.is_none(), "a record without what the stranger sent", &told);
        rule.holds(record.request_id.is_some(), "a new id in place of the forged one", &told);
    }
    trial.passed()
}
