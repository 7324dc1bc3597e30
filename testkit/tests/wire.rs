//! What a history shows of real calls over real sockets, and of servers and clients that go away.

use proto::{
    grpc::health::v1::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus,
        health_client::HealthClient,
        health_server::{Health, HealthServer},
    },
    users::v1::{
        GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, User,
        user_service_client::UserServiceClient,
        user_service_server::{UserService, UserServiceServer},
    },
};
use std::{pin::Pin, time::Duration};
use testkit::{
    Event, History, Seen, bound,
    grpc::{self, Server, Wire},
};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, service::Routes};

/// One user, and no lists.
struct Users;

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        match request.get_ref().id.as_str() {
            "1" => {
                let user = User { id: "1".into(), name: "Ada".into(), email: String::new() };
                Ok(Response::new(GetUserResponse { user: Some(user) }))
            }
            "never" => std::future::pending().await,
            _ => Err(Status::not_found("no such user")),
        }
    }

    async fn list_users(&self, _: Request<ListUsersRequest>) -> Result<Response<ListUsersResponse>, Status> {
        panic!("a handler that falls over")
    }
}

type Answers = mpsc::Sender<Result<HealthCheckResponse, Status>>;

/// Hands the sending end of every Watch to the test.
struct Watched(mpsc::Sender<Answers>);

#[tonic::async_trait]
impl Health for Watched {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Ok(Response::new(HealthListResponse::default()))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (answers, stream) = mpsc::channel(1);
        self.0.send(answers).await.expect("the test still runs");
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

/// Both services, a connection to them, and the sending ends of the Watches that it opens.
async fn serve(history: &History) -> (Server, Wire, mpsc::Receiver<Answers>) {
    let (opened, watches) = mpsc::channel(1);
    let routes = Routes::new(UserServiceServer::new(Users)).add_service(HealthServer::new(Watched(opened)));
    let server = grpc::serve(routes).await;
    let wire = grpc::connect(history, server.addr()).await.unwrap();
    (server, wire, watches)
}

async fn get_user(wire: Wire, id: &str) -> Result<Response<GetUserResponse>, Status> {
    UserServiceClient::new(wire).get_user(GetUserRequest { id: id.into() }).await
}

/// What was seen, one line an event, without the times.
fn lines(history: &History) -> Vec<String> {
    testkit::timeline(&history.events())
        .iter()
        .map(|line| line[line.find(" ms").unwrap() + " ms".len()..].trim().to_owned())
        .collect()
}

/// Waits until something was seen.
async fn until(history: &History, wanted: impl Fn(&Event) -> bool) {
    let seen = async {
        while !history.events().iter().any(&wanted) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(bound(), seen).await.expect("it is seen");
}

#[tokio::test]
async fn a_call_that_succeeds_has_its_status_in_the_trailers() {
    let history = History::new();
    let (_server, wire, _) = serve(&history).await;
    get_user(wire, "1").await.unwrap();
    assert_eq!(
        lines(&history),
        [
            "call 1   UserService/GetUser",
            "call 1 → id:\"1\"",
            "call 1 ← user{id:\"1\",name:\"Ada\"}",
            "call 1 ← ended: OK",
        ]
    );
}

#[tokio::test]
async fn a_call_that_fails_at_once_has_its_status_in_the_headers() {
    let history = History::new();
    let (_server, wire, _) = serve(&history).await;
    get_user(wire.clone(), "2").await.unwrap_err();
    let unnamed = HealthClient::new(wire).check(HealthCheckRequest::default()).await;
    unnamed.unwrap_err();
    assert_eq!(
        lines(&history),
        [
            "call 1   UserService/GetUser",
            "call 1 → id:\"2\"",
            "call 1 ← ended: NOT_FOUND: no such user",
            "call 2   Health/Check",
            "call 2 → (empty message)",
            "call 2 ← ended: UNIMPLEMENTED",
        ]
    );
}

#[tokio::test]
async fn a_handler_that_panics_is_a_call_that_ends() {
    let history = History::new();
    let (_server, wire, _) = serve(&history).await;
    let status = UserServiceClient::new(wire).list_users(ListUsersRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Cancelled);
    let seen = lines(&history);
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[2].starts_with("call 1 ← ended: without a status: "), "{seen:?}");
    assert!(!seen[2].contains("transport error"), "the reason, not its wrapping: {seen:?}");
}

#[tokio::test]
async fn a_stream_shows_each_message_as_it_comes_and_its_end() {
    let history = History::new();
    let (_server, wire, mut watches) = serve(&history).await;
    let mut stream = HealthClient::new(wire).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let answers = watches.recv().await.unwrap();
    for status in [ServingStatus::Serving, ServingStatus::NotServing] {
        answers.send(Ok(HealthCheckResponse { status: status.into() })).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap().status, i32::from(status));
    }
    assert_eq!(lines(&history).len(), 4, "nothing has ended yet");
    answers.send(Err(Status::unavailable("going down"))).await.unwrap();
    stream.next().await.unwrap().unwrap_err();
    assert_eq!(
        lines(&history),
        [
            "call 1   Health/Watch",
            "call 1 → (empty message)",
            "call 1 ← status:SERVING",
            "call 1 ← status:NOT_SERVING",
            "call 1 ← ended: UNAVAILABLE: going down",
        ]
    );
}

#[tokio::test]
async fn a_client_that_goes_away_is_seen_once() {
    let history = History::new();
    let (_server, wire, mut watches) = serve(&history).await;
    let stream = HealthClient::new(wire.clone()).watch(HealthCheckRequest::default()).await.unwrap();
    let answers = watches.recv().await.unwrap();
    drop(stream);
    let (started, was_started) = oneshot::channel();
    let waiting = tokio::spawn(async move {
        let call = get_user(wire, "never");
        let _ = started.send(());
        call.await
    });
    was_started.await.unwrap();
    until(&history, |event| matches!(event.seen, Seen::Sent { call: 2, .. })).await;
    waiting.abort();
    waiting.await.unwrap_err();
    assert_eq!(
        lines(&history),
        [
            "call 1   Health/Watch",
            "call 1 → (empty message)",
            "call 1 → client went away",
            "call 2   UserService/GetUser",
            "call 2 → id:\"never\"",
            "call 2 → client went away",
        ]
    );
    // The server learns of it too.
    tokio::time::timeout(bound(), answers.closed()).await.expect("the stream is closed");
}

#[tokio::test]
async fn calls_side_by_side_are_told_apart() {
    let history = History::new();
    let (_server, wire, mut watches) = serve(&history).await;
    let mut first = HealthClient::new(wire.clone());
    let mut first = first.watch(HealthCheckRequest { service: "a".into() }).await.unwrap().into_inner();
    let answers = watches.recv().await.unwrap();
    get_user(wire, "1").await.unwrap();
    answers.send(Ok(HealthCheckResponse { status: ServingStatus::Serving.into() })).await.unwrap();
    first.next().await.unwrap().unwrap();
    assert_eq!(
        lines(&history),
        [
            "call 1   Health/Watch",
            "call 1 → service:\"a\"",
            "call 2   UserService/GetUser",
            "call 2 → id:\"1\"",
            "call 2 ← user{id:\"1\",name:\"Ada\"}",
            "call 2 ← ended: OK",
            "call 1 ← status:SERVING",
        ]
    );
}

/// A server on a runtime of its own: when that ends, so do its connections, as when a process dies.
#[test]
fn a_server_that_dies_in_mid_call_is_a_call_that_ends() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (servers, clients) = (runtime(), runtime());
    let history = History::new();
    let (opened, mut watches) = mpsc::channel(1);
    let server =
        servers.block_on(async { grpc::serve(Routes::new(HealthServer::new(Watched(opened)))).await });
    let addr = server.addr();
    clients.block_on(async {
        let wire = grpc::connect(&history, addr).await.unwrap();
        let mut client = HealthClient::new(wire);
        let mut stream = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
        let answers = watches.recv().await.unwrap();
        answers.send(Ok(HealthCheckResponse::default())).await.unwrap();
        stream.next().await.unwrap().unwrap();

        servers.shutdown_background();
        let end = tokio::time::timeout(bound(), stream.next()).await.expect("the stream ends");
        end.unwrap().unwrap_err();
        client.list(HealthListRequest::default()).await.unwrap_err();
    });
    let seen = lines(&history);
    assert!(seen[3].starts_with("call 1 ← ended: "), "{seen:?}");
    let after: Vec<_> = seen.iter().filter(|line| line.starts_with("call 2 ← ")).collect();
    assert_eq!(after.len(), 1, "a call that reaches nobody ends once: {seen:?}");
}

#[tokio::test]
async fn a_server_that_was_dropped_takes_no_new_connection() {
    let history = History::new();
    let (server, _wire, _) = serve(&history).await;
    let addr = server.addr();
    drop(server);
    let refused = async { while grpc::connect(&history, addr).await.is_ok() {} };
    tokio::time::timeout(bound(), refused).await.expect("nobody listens any more");
}
