// A server for your client. It has no contract: it writes down what it is asked and answers what the test says.

use crate::{
    codec::Raw,
    messages::this_year::{User, UserResponse},
};
use prost::Message;
use std::{
    convert::Infallible,
    future::{Ready, pending, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use testkit::{
    History, Rule, Trial,
    grpc::{self, Server},
};
use tokio::sync::watch;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService, UnaryService},
    service::Routes,
};

/// How the server answers a call.
#[derive(Clone)]
pub enum Answer {
    /// With OK and this message.
    Message(Vec<u8>),
    /// With this status.
    Failure(Status),
    /// Not at all.
    Silence,
}

impl Answer {
    /// With OK and a message.
    pub fn message(message: &impl Message) -> Self {
        Self::Message(message.encode_to_vec())
    }

    /// As GetUser and CreateUser answer.
    pub fn user(user: User) -> Self {
        Self::message(&UserResponse { user: Some(user) })
    }
}

/// A call that arrived.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub message: Vec<u8>,
    /// The header `grpc-timeout`.
    pub timeout: Option<String>,
}

/// A server that does as it is told.
pub struct Scripted {
    pub uri: String,
    calls: watch::Receiver<Vec<Call>>,
    _server: Server,
}

impl Scripted {
    /// Answers every call in the same way.
    pub async fn start(trial: &Trial, answer: Answer) -> Self {
        Self::by_method(trial, move |_| answer.clone()).await
    }

    /// Answers each method, such as `GetUser`, in its own way.
    pub async fn by_method(trial: &Trial, script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let (sender, calls) = watch::channel(Vec::new());
        let actor = Actor { script: Arc::new(script), calls: sender, history: trial.history().clone() };
        let server = grpc::serve(Routes::new(actor)).await;
        Self { uri: format!("http://{}", server.addr()), calls, _server: server }
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }

    /// The last call, which must be of this method.
    #[track_caller]
    pub fn last(&self, rule: &Rule<'_>, method: &str) -> Call {
        let last = self.calls().pop().filter(|call| call.method == method);
        last.unwrap_or_else(|| rule.broken(format_args!("the client calls {method}"), "no such call arrived"))
    }

    /// Ready as soon as a call has arrived that does not say how long its caller waits.
    pub async fn unlimited(&self) -> Call {
        let mut calls = self.calls.clone();
        let unlimited = |calls: &Vec<Call>| calls.iter().any(|call| call.timeout.is_none());
        match calls.wait_for(unlimited).await {
            Ok(calls) => calls.iter().find(|call| call.timeout.is_none()).cloned().expect("one of them"),
            Err(_) => pending().await,
        }
    }
}

/// How long a header `grpc-timeout` says (PROTOCOL-HTTP2.md: at most eight digits and a unit).
pub fn timeout_of(header: &str) -> Option<Duration> {
    let (digits, unit) = header.split_at_checked(header.len().checked_sub(1)?)?;
    if !matches!(digits.len(), 1..=8) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// Every method of the service.
#[derive(Clone)]
struct Actor {
    script: Arc<dyn Fn(&str) -> Answer + Send + Sync>,
    calls: watch::Sender<Vec<Call>>,
    history: History,
}

impl NamedService for Actor {
    const NAME: &'static str = "shop.users.v1.UserService";
}

impl Service<http::Request<Body>> for Actor {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let timeout = request.headers().get("grpc-timeout");
        let timeout = timeout.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let scene = Scene { actor: self.clone(), method, timeout };
        Box::pin(async move { Ok(Grpc::new(Raw).unary(scene, request).await) })
    }
}

/// One call.
struct Scene {
    actor: Actor,
    method: String,
    timeout: Option<String>,
}

impl UnaryService<Vec<u8>> for Scene {
    type Response = Vec<u8>;
    type Future = BoxFuture<Response<Vec<u8>>, Status>;

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        let Self { actor, method, timeout } = self;
        let answer = (actor.script)(method);
        let waits =
            timeout.as_ref().map_or("no grpc-timeout".to_owned(), |limit| format!("grpc-timeout {limit}"));
        let says = match &answer {
            Answer::Message(_) => "OK".to_owned(),
            Answer::Failure(status) => grpc::name(status.code()).to_owned(),
            Answer::Silence => "nothing, ever".to_owned(),
        };
        actor.history.did(format!("{method} arrives, with {waits}; the server answers {says}"));
        let call = Call { method: method.clone(), message: request.into_inner(), timeout: timeout.clone() };
        actor.calls.send_modify(|calls| calls.push(call));
        match answer {
            Answer::Message(message) => Box::pin(at_once(Ok(Response::new(message)))),
            Answer::Failure(status) => Box::pin(at_once(Err(status))),
            Answer::Silence => Box::pin(pending()),
        }
    }
}

fn at_once<T>(result: Result<T, Status>) -> Ready<Result<T, Status>> {
    ready(result)
}
