// Step 4: how a server goes away.

use crate::support::{ORDERS, Prober, USERS, connect, eventually, health_routes, serve_board};
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
use testkit::{Passed, Rule, Trial, grpc};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};
use tonic::{Code, Request, Response, Status, transport};

const SECTION: &str = "step-4-shutdown";

/// Longer than any test: a server that waits for the end of it has not noticed that it need not.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// Users that answer only when the test lets them.
#[derive(Clone)]
struct Slow {
    arrived: Arc<Semaphore>,
    gate: Arc<Semaphore>,
}

impl Slow {
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
struct Serving {
    addr: SocketAddr,
    board: StatusBoard,
    users: Slow,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<(Result<Drained, transport::Error>, Instant)>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a server with users that are SERVING.
async fn start(lame_duck: Duration, drain: Duration) -> Serving {
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
    fn stop(&mut self, trial: &Trial) -> Instant {
        trial.did("the signal to stop is given");
        let now = Instant::now();
        // Nobody listens if the server is gone already. The test will see that.
        let _ = self.stop.take().map(|stop| stop.send(()));
        now
    }

    /// What `serve` must return, and when it did.
    async fn ends(&mut self, rule: &Rule<'_>, expected: Drained) -> Instant {
        let wanted = format!("serve returns Drained::{expected:?}");
        let (seen, at) = match rule.within(&wanted, &mut self.task).await {
            Ok((Ok(drained), at)) if drained == expected => return at,
            Ok((Ok(drained), at)) => (format!("Drained::{drained:?}"), Some(at)),
            Ok((Err(error), at)) => (format!("the error {error}"), Some(at)),
            Err(_) => ("serve panicked".to_owned(), None),
        };
        rule.holds(false, wanted, seen);
        at.unwrap_or_else(Instant::now)
    }

    /// A call that is in flight, and stays so until the gate is opened.
    async fn call_in_flight(&self, trial: &Trial, rule: &Rule<'_>) -> JoinHandle<Result<(), Status>> {
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
    async fn refuses(&self, trial: &Trial, rule: &Rule<'_>) {
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

/// Waits until the server says that it goes away.
async fn says_so(prober: &mut Prober, rule: &Rule<'_>) {
    eventually(rule, "Check of \"\" comes to answer NOT_SERVING", async || {
        prober.check(rule, "").await == "NOT_SERVING"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lame_duck_takes_new_connections_and_says_not_serving() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("After the signal the server says NOT_SERVING first, and goes on taking connections");
    let mut serving = start(FOR_EVER, FOR_EVER).await;

    let mut early = connect(&trial, serving.addr).await;
    early.reads(&rule, USERS, "SERVING").await;
    serving.stop(&trial);
    says_so(&mut early, &rule).await;
    trial.did("a new connection is made");
    let mut late = connect(&trial, serving.addr).await;
    late.reads(&rule, USERS, "NOT_SERVING").await;
    late.reads(&rule, "", "NOT_SERVING").await;
    late.reads(&rule, ORDERS, "NOT_FOUND").await;

    trial.did("a call that is no health call is made");
    let call = serving.call_in_flight(&trial, &rule).await;
    serving.users.gate.add_permits(1);
    answered(&rule, call).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lame_duck_lasts_its_time() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The server stops accepting when the time of lame_duck is over, and not before");
    let lame_duck = Duration::from_millis(250);
    let mut serving = start(lame_duck, FOR_EVER).await;

    connect(&trial, serving.addr).await.reads(&rule, USERS, "SERVING").await;
    let stopped = serving.stop(&trial);
    serving.refuses(&trial, &rule).await;
    let lasted = stopped.elapsed();
    rule.holds(lasted >= lame_duck, "connections are taken for 250 ms at least", format_args!("{lasted:?}"));
    serving.ends(&rule, Drained::Complete).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_brings_serving_back() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("After shut_down every service is NOT_SERVING for good");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status(ORDERS, ServingStatus::Serving);
    board.clone().shut_down();
    trial.did("users and orders are set to SERVING, then the board is shut down");
    prober.reads(&rule, USERS, "NOT_SERVING").await;
    prober.reads(&rule, "", "NOT_SERVING").await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status(ORDERS, ServingStatus::Serving);
    board.shut_down();
    trial
        .did("a probe comes late: users and orders are set to SERVING, and the board is shut down once more");
    prober.reads(&rule, USERS, "NOT_SERVING").await;
    prober.reads(&rule, ORDERS, "NOT_SERVING").await;
    prober.reads(&rule, "", "NOT_SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_watch_says_not_serving_and_ends() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch that begins after shut_down says NOT_SERVING and ends");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    board.shut_down();
    trial.did("users are set to SERVING, then the board is shut down");
    for service in [USERS, "", ORDERS] {
        let mut watching = prober.watch(&rule, service).await;
        watching.reads(&rule, "NOT_SERVING").await;
        watching.ends(&rule).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_watches_end_and_hold_nothing_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("On shutdown each open Watch says NOT_SERVING and ends, so the drain need not wait for it");
    let mut serving = start(Duration::ZERO, FOR_EVER).await;

    serving.board.set_status("shop.v1.Mail", ServingStatus::NotServing);
    let mut prober = connect(&trial, serving.addr).await;
    let mut users = prober.watch(&rule, USERS).await;
    users.reads(&rule, "SERVING").await;
    let mut server = prober.watch(&rule, "").await;
    server.reads(&rule, "NOT_SERVING").await;
    let mut unknown = prober.watch(&rule, ORDERS).await;
    unknown.reads(&rule, "SERVICE_UNKNOWN").await;

    serving.stop(&trial);
    users.reads(&rule, "NOT_SERVING").await;
    users.ends(&rule).await;
    // It has said NOT_SERVING already.
    server.ends(&rule).await;
    unknown.reads(&rule, "NOT_SERVING").await;
    unknown.ends(&rule).await;
    serving.ends(&rule, Drained::Complete).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_flight_are_finished() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Calls in flight are finished before serve returns, and then it returns at once");
    let mut serving = start(Duration::ZERO, FOR_EVER).await;

    let call = serving.call_in_flight(&trial, &rule).await;
    serving.stop(&trial);
    serving.refuses(&trial, &rule).await;
    let opened = Instant::now();
    serving.users.gate.add_permits(1);
    trial.did("the call in flight may end now");
    answered(&rule, call).await;
    let ended = serving.ends(&rule, Drained::Complete).await;
    rule.holds(
        ended >= opened,
        "serve returns after the call has ended",
        "it returned while the call was in flight",
    );
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_has_its_limit() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Calls in flight may take the time of drain, and no longer");
    let drain = Duration::from_millis(250);
    let mut serving = start(Duration::ZERO, drain).await;

    let _call = serving.call_in_flight(&trial, &rule).await;
    trial.did("this call will never end");
    let stopped = serving.stop(&trial);
    let ended = serving.ends(&rule, Drained::TimedOut).await;
    let lasted = ended.saturating_duration_since(stopped);
    rule.holds(lasted >= drain, "serve returns 250 ms after the signal or later", format_args!("{lasted:?}"));
    trial.passed()
}

async fn answered(rule: &Rule<'_>, call: JoinHandle<Result<(), Status>>) {
    let answer = rule.within("an answer to the call in flight", call).await.expect("no panic in the client");
    let code = answer.map_or_else(|status| status.code(), |()| Code::Ok);
    rule.holds(code == Code::Ok, "the call in flight ends with OK", grpc::name(code));
}
