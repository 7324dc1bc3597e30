// The instances that a client balances over: servers of users that answer with their own names, and say how they are.

use crate::clerk::{USERS, millis};
use lab_03_service_discovery::{BalancePolicy, BalancedChannel, Instance};
use proto::{
    grpc::health::v1::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus,
        health_server::{Health, HealthServer},
    },
    users::v1::{
        GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, User,
        user_service_client::UserServiceClient,
        user_service_server::{UserService, UserServiceServer},
    },
};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use testkit::{
    Rule, Trial, bound,
    grpc::{self, Server},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_stream::{Stream, StreamExt as _, wrappers::WatchStream};
use tonic::{Code, Request, Response, Status, service::Routes, transport::Channel};

/// A call for this user takes so long.
pub const SLOW: &str = "slow";
pub const SLOWNESS: Duration = Duration::from_millis(700);

/// What an instance says of its health.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Said {
    Status(ServingStatus),
    /// The Watch is open, and nothing comes.
    Nothing,
    /// The Watch fails.
    Failure(Code),
}

/// An instance.
pub struct Backend {
    trial: Trial,
    pub instance: Instance,
    _server: Server,
    calls: Arc<AtomicUsize>,
    health: watch::Sender<Said>,
    /// Health Watches that were opened so far.
    asked: Arc<AtomicUsize>,
}

impl Backend {
    /// One without a health service.
    pub async fn start(trial: &Trial, name: &'static str) -> Self {
        Self::serve(trial, name, None).await
    }

    /// One that says this of its health.
    pub async fn with_health(trial: &Trial, name: &'static str, said: Said) -> Self {
        trial.did(format!("{name} says of its health: {said:?}"));
        Self::serve(trial, name, Some(said)).await
    }

    async fn serve(trial: &Trial, name: &'static str, said: Option<Said>) -> Self {
        let (calls, asked) = (Arc::default(), Arc::default());
        let health = watch::Sender::new(said.unwrap_or(Said::Nothing));
        let mut routes = Routes::new(UserServiceServer::new(Users { name, calls: Arc::clone(&calls) }));
        if said.is_some() {
            routes = routes
                .add_service(HealthServer::new(Statuses { said: health.clone(), asked: Arc::clone(&asked) }));
        }
        let server = grpc::serve(routes).await;
        let instance = Instance { id: name.into(), address: server.addr().to_string() };
        Self { trial: trial.clone(), instance, _server: server, calls, health, asked }
    }

    /// Calls that it has got so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// From now on it says this of its health.
    pub fn says(&self, said: Said) {
        self.trial.did(format!("{} says of its health: {said:?}", self.instance.id));
        self.health.send_replace(said);
    }

    /// Waits until its health was asked for so often.
    pub async fn was_asked(&self, rule: &Rule<'_>, times: usize) {
        let expected =
            format!("the health of {} is watched {times} times, one after the other", self.instance.id);
        let counting = async {
            while self.asked.load(Ordering::SeqCst) < times {
                sleep(millis(2)).await;
            }
        };
        rule.within(expected, counting).await;
    }

    /// Waits until so many clients watch its health.
    pub async fn is_watched_by(&self, rule: &Rule<'_>, clients: usize) {
        let expected = format!("{} clients watch the health of {}", clients, self.instance.id);
        let counting = async {
            // Each open Watch has a receiver.
            while self.health.receiver_count() != clients {
                sleep(millis(2)).await;
            }
        };
        rule.within(expected, counting).await;
    }
}

struct Users {
    name: &'static str,
    calls: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let id = request.into_inner().id;
        if id == SLOW {
            sleep(SLOWNESS).await;
        }
        let user = User { id, name: self.name.into(), email: String::new() };
        Ok(Response::new(GetUserResponse { user: Some(user) }))
    }

    async fn list_users(&self, _: Request<ListUsersRequest>) -> Result<Response<ListUsersResponse>, Status> {
        Err(Status::unimplemented("only GetUser"))
    }
}

struct Statuses {
    said: watch::Sender<Said>,
    asked: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl Health for Statuses {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Err(Status::unimplemented("only Watch"))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("only Watch"))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let known = request.into_inner().service == USERS;
        let message = move |said| match said {
            // No other service is asked for here, and none is well.
            Said::Status(_) if !known => Some(Ok(ServingStatus::ServiceUnknown)),
            Said::Status(status) => Some(Ok(status)),
            Said::Nothing => None,
            Said::Failure(code) => Some(Err(Status::new(code, "this Watch fails"))),
        };
        let messages = WatchStream::new(self.said.subscribe()).filter_map(message);
        let messages = messages.map(|status| Ok(HealthCheckResponse { status: status?.into() }));
        Ok(Response::new(Box::pin(messages)))
    }
}

/// Somebody who calls the users through the channel under test.
pub struct Caller<'a> {
    pub trial: &'a Trial,
    pub channel: BalancedChannel,
}

/// A policy of which only the patience matters.
pub fn patience(patience: Duration) -> BalancePolicy {
    BalancePolicy { patience, retry: millis(50), health: None }
}

/// A policy that watches the health of the users.
pub fn with_health(patience: Duration) -> BalancePolicy {
    BalancePolicy { health: Some(USERS.into()), ..self::patience(patience) }
}

impl<'a> Caller<'a> {
    pub fn new(trial: &'a Trial, registry: Channel, policy: BalancePolicy) -> Self {
        Self { trial, channel: BalancedChannel::new(registry, USERS, policy) }
    }

    /// One call, on a fresh clone: who answered.
    pub async fn calls(&self, rule: &Rule<'_>, user: &str) -> Result<String, Status> {
        let mut client = UserServiceClient::new(self.channel.clone());
        let answer =
            rule.within("an end of the call", client.get_user(GetUserRequest { id: user.into() })).await;
        let name = answer.map(|answer| answer.into_inner().user.unwrap_or_default().name);
        self.trial.did(match &name {
            Ok(name) => format!("a call is answered by {name}"),
            Err(status) => format!("a call fails: {}: {}", grpc::name(status.code()), status.message()),
        });
        name
    }

    /// A call that must be answered by one of these.
    pub async fn is_answered_by(&self, rule: &Rule<'_>, names: &[&str]) -> String {
        match self.calls(rule, "u1").await {
            Ok(name) if names.contains(&name.as_str()) => name,
            Ok(name) => rule.broken(format_args!("an answer of {}", names.join(" or ")), name),
            Err(status) => {
                rule.broken(format_args!("an answer of {}", names.join(" or ")), in_words(&status))
            }
        }
    }

    /// Many calls in a row, all of them answered by some of these.
    pub async fn are_answered_by(&self, rule: &Rule<'_>, names: &[&str]) {
        for _ in 0..60 {
            self.is_answered_by(rule, names).await;
        }
    }

    /// Calls until each of these has answered. A call may fail meanwhile.
    pub async fn until_answered_by(&self, rule: &Rule<'_>, names: &[&str]) {
        let mut missing: Vec<_> = names.to_vec();
        let expected = format!("calls are answered by {}", names.join(" and "));
        self.call_until(rule, &expected, |answer| {
            missing.retain(|name| !answer.as_ref().is_ok_and(|answered| answered == name));
            missing.is_empty()
        })
        .await;
    }

    /// Calls until this one gets none any more: so many in a row go elsewhere, or fail.
    pub async fn until_spared(&self, rule: &Rule<'_>, backend: &Backend) {
        let (mut elsewhere, mut before) = (0, backend.calls());
        let expected = format!("calls no longer go to {}", backend.instance.id);
        self.call_until(rule, &expected, |_| {
            let now = backend.calls();
            elsewhere = if std::mem::replace(&mut before, now) == now { elsewhere + 1 } else { 0 };
            elsewhere == 20
        })
        .await;
    }

    /// Calls until the answers are as they must come to be. So many calls as wrong code gets here take seconds.
    async fn call_until(
        &self,
        rule: &Rule<'_>,
        expected: &str,
        mut enough: impl FnMut(&Result<String, Status>) -> bool,
    ) {
        const MANY: usize = 1000;
        let (began, mut calls) = (Instant::now(), 0);
        loop {
            let answer = self.calls(rule, "u1").await;
            if enough(&answer) {
                return;
            }
            calls += 1;
            let waited = began.elapsed();
            if waited > bound() || calls > MANY && waited > bound() / 3 {
                rule.broken(expected, format_args!("nothing of the kind in {calls} calls"));
            }
            sleep(millis(1)).await;
        }
    }

    /// Calls until one fails, which must be with UNAVAILABLE.
    pub async fn until_nobody_is_found(&self, rule: &Rule<'_>) {
        let expected = "a call fails with UNAVAILABLE";
        self.call_until(rule, expected, |answer| match answer {
            Err(status) if status.code() == Code::Unavailable => true,
            Err(status) => rule.broken(expected, in_words(status)),
            Ok(_) => false,
        })
        .await;
    }

    /// A call that must fail with UNAVAILABLE.
    pub async fn finds_nobody(&self, rule: &Rule<'_>) {
        let seen = match self.calls(rule, "u1").await {
            Err(status) if status.code() == Code::Unavailable => return,
            Err(status) => in_words(&status),
            Ok(name) => format!("an answer of {name}"),
        };
        rule.broken("the call fails with UNAVAILABLE", seen);
    }
}

pub fn in_words(status: &Status) -> String {
    format!("{}: {}", grpc::name(status.code()), status.message())
}
