// The instances that a client balances over: servers of users that answer with their own names, and say how they are.

use crate::{
    clerk::{USERS, millis, seconds},
    soon::{soon, soon_after},
};
use lab_03_service_discovery::Instance;
use proto::{
    grpc::health::v1::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus,
        health_server::{Health, HealthServer},
    },
    users::v1::{
        GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, User,
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
    Rule, Trial,
    grpc::{self, Server},
};
use tokio::{sync::watch, time::sleep};
use tokio_stream::{Stream, StreamExt as _, wrappers::WatchStream};
use tonic::{Code, Request, Response, Status, service::Routes};

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
        soon(rule, expected, counting).await;
    }

    /// Waits until so many clients watch its health.
    pub async fn is_watched_by(&self, rule: &Rule<'_>, clients: usize) {
        // To leave takes longer than to come: somebody may look once a second whether it is still needed.
        let (clients_watch, time) = match clients {
            0 => ("nobody watches".to_owned(), seconds(2)),
            1 => ("one client watches".to_owned(), Duration::ZERO),
            more => (format!("{more} clients watch"), Duration::ZERO),
        };
        let expected = format!("{clients_watch} the health of {}", self.instance.id);
        let counting = async {
            // Each open Watch has a receiver.
            while self.health.receiver_count() != clients {
                sleep(millis(2)).await;
            }
        };
        soon_after(rule, time, expected, counting).await;
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
