// A server under the lab's `serve`, with users that answer when the test says so.

use crate::support::{USERS, eventually, health_routes};
use lab_01_health_check::{Drained, ServingStatus, ShutdownPolicy, StatusBoard, serve};
use proto::users::v1::{
    GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse,
    user_service_client::UserServiceClient,
    user_service_server::{UserService, UserServiceServer},
};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use testkit::{Rule, Trial, grpc};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};
use tonic::{Request, Response, Status, transport};

/// Users that answer only when the test lets them.
#[derive(Clone)]
pub struct Slow {
    arrived: Arc<Semaphore>,
    gate: Arc<Semaphore>,
}

impl Slow {
    /// Lets one call go on.
    pub fn answer(&self) {
        self.gate.add_permits(1);
    }

    fn new() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), gate: Arc::new(Semaphore::new(0)) }
    }
}

#[tonic::async_trait]
impl UserService for Slow {
    async fn get_user(&self, _request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        self.arrived.add_permits(1);
        self.gate.acquire().await.map_err(|_| Status::internal("the gate is gone"))?.forget();
        Ok(Response::new(GetUserResponse { user: None }))
    }

    async fn list_users(
        &self,
        _request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        Ok(Response::new(ListUsersResponse { users: Vec::new(), total: 0 }))
    }
}

/// A server under [`serve`]. It ends with this.
pub struct Serving {
    pub addr: SocketAddr,
    pub board: StatusBoard,
    pub users: Slow,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<(Result<Drained, transport::Error>, Instant)>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a server with users that are SERVING.
pub async fn start(lame_duck: Duration, drain: Duration) -> Serving {
    let board = StatusBoard::new();
    board.set_status(USERS, ServingStatus::Serving);
    let users = Slow::new();
    let routes = health_routes(&board).add_service(UserServiceServer::new(users.clone()));
    let listener = grpc::listen().await;
    let addr = listener.local_addr().expect("a bound listener has an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let signal = async move {
        // An error means that the test is over.
        let _ = stopped.await;
    };
    let serving = serve(listener, routes, board.clone(), ShutdownPolicy { lame_duck, drain }, signal);
    let task = tokio::spawn(async move { (serving.await, Instant::now()) });
    Serving { addr, board, users, stop: Some(stop), task }
}

impl Serving {
    /// Gives the signal, and says when.
    pub fn stop(&mut self, trial: &Trial) -> Instant {
        trial.did("the signal to stop is given");
        let now = Instant::now();
        // Nobody listens if the server is gone already. The test will see that.
        let _ = self.stop.take().map(|stop| stop.send(()));
        now
    }

    /// What `serve` must return, and when it did.
    pub async fn ends(&mut self, rule: &Rule<'_>, expected: Drained) -> Instant {
        let wanted = format!("serve returns Drained::{expected:?}");
        let (seen, at) = self.returned(rule, &wanted).await;
        rule.holds(seen == format!("Drained::{expected:?}"), wanted, seen);
        at
    }

    async fn returned(&mut self, rule: &Rule<'_>, wanted: &str) -> (String, Instant) {
        match rule.within(wanted, &mut self.task).await {
            Ok((Ok(drained), at)) => (format!("Drained::{drained:?}"), at),
            Ok((Err(error), at)) => (format!("the error {error}"), at),
            Err(_) => rule.broken(wanted, "serve panicked"),
        }
    }

    /// A call that is in flight, and stays so until the gate is opened.
    pub async fn call_in_flight(&self, trial: &Trial, rule: &Rule<'_>) -> JoinHandle<Result<(), Status>> {
        let channel = rule.within("a connection", grpc::connect(trial.history(), self.addr)).await;
        let Ok(wire) = channel else { rule.broken("a connection", "none") };
        let mut client = UserServiceClient::new(wire);
        let call =
            tokio::spawn(
                async move { client.get_user(GetUserRequest { id: "u1".into() }).await.map(|_| ()) },
            );
        let arrived = rule.within("the call arrives", self.users.arrived.acquire()).await;
        arrived.expect("nobody closes this semaphore").forget();
        call
    }

    /// Waits until the server takes no connection any more.
    pub async fn refuses(&self, trial: &Trial, rule: &Rule<'_>) {
        let mut refused = 0;
        eventually(rule, "new connections are refused", async || {
            // More than once, so that a server that is about to return has done so.
            match TcpStream::connect(self.addr).await {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => refused += 1,
                _ => refused = 0,
            }
            refused > 10
        })
        .await;
        trial.did("new connections are refused");
    }
}
