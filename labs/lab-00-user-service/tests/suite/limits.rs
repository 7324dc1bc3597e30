// Step 4: how long the client waits.

use crate::{
    client::{FOR_EVER, barbara, connect},
    messages::this_year::User,
    scripted::{Answer, Scripted, timeout_of},
};
use lab_00_user_service::{Limits, UserClient};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use testkit::{Passed, Trial, bound};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

const SECTION: &str = "step-4-the-client";

/// What came of a connection, without the connection.
fn told<E: std::fmt::Display>(result: &Result<UserClient, E>) -> String {
    result.as_ref().map_or_else(|error| format!("Err({error})"), |_| "Ok: a client".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_says_how_long_it_waits() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Every call carries the header grpc-timeout with the limit of a call");
    let server = Scripted::start(&trial, Answer::user(User::default())).await;
    let limits = Limits { connect: Duration::from_secs(600), call: Duration::from_secs(3600) };
    let client = connect(&rule, &server, limits).await;

    let _ = rule.within("get returns", client.get("u1")).await;
    let _ = rule.within("list returns", client.list(1, 1)).await;
    let _ = rule.within("create returns", client.create(barbara())).await;
    let _ = rule.within("get returns", client.clone().get("u1")).await;
    for (call, method) in server.calls().into_iter().zip(["GetUser", "ListUsers", "CreateUser", "GetUser"]) {
        rule.holds(call.method == method, format_args!("a call of {method}"), &call.method);
        let limit = call.timeout.as_deref().and_then(timeout_of);
        // Whoever counts from a little earlier, or keeps a little back for the way, is right as well.
        let right =
            limit.is_some_and(|limit| limit <= limits.call && limit + Duration::from_secs(60) >= limits.call);
        let seen =
            call.timeout.map_or("no grpc-timeout".to_owned(), |header| format!("grpc-timeout: {header}"));
        rule.holds(right, format_args!("{method} with a grpc-timeout of 3600 s"), seen);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_holds_nobody_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that is not answered ends with an error when its limit is over");
    let server = Scripted::start(&trial, Answer::Silence).await;
    let limits = Limits { call: Duration::from_millis(100), ..FOR_EVER };
    let client = connect(&rule, &server, limits).await;

    let calls = async {
        tokio::join!(
            async { client.get("u1").await.map(|_| "get: Ok") },
            async { client.list(1, 1).await.map(|_| "list: Ok") },
            async { client.create(barbara()).await.map(|_| "create: Ok") },
        )
    };
    let expected = "get, list and create end with an error";
    let (get, list, create) = tokio::select! {
        ended = rule.within(expected, calls) => ended,
        // Without a header the client may still have a limit. If it had one, the call would have ended long ago.
        call = async { let call = server.unlimited().await; sleep(bound() / 5).await; call } => {
            rule.broken(expected, format_args!("{} carries no limit, and nothing ended it", call.method))
        }
    };
    if let Some(wrong) = [get, list, create].into_iter().flatten().next() {
        rule.broken(expected, wrong);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_told_at_once() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When connect returns Ok, there is a connection: otherwise it fails");
    // Bound and not listening: connections are refused, and nobody else can get the port meanwhile.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port on 127.0.0.1");
    let addr = socket.local_addr().expect("a bound socket has an address");

    trial.did("nobody listens at the address");
    for uri in [format!("http://{addr}"), "no address at all".to_owned()] {
        let result = rule.within("connect returns", UserClient::connect(uri.clone(), FOR_EVER)).await;
        rule.holds(result.is_err(), format_args!("connect to {uri:?} fails"), told(&result));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_has_a_limit() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("connect gives up when limits.connect is over and nobody has answered");
    let limits = Limits { connect: Duration::from_millis(200), call: Duration::from_secs(3600) };
    let full = Full::start().await;
    let Some(full) = full else {
        // A system that takes every connection: there connect cannot hang, only succeed.
        let server = Scripted::start(&trial, Answer::Silence).await;
        connect(&rule, &server, limits).await;
        return trial.passed();
    };

    trial.did("a host answers nobody: its queue of connections is full");
    let began = Instant::now();
    let connecting = UserClient::connect(format!("http://{}", full.addr), limits);
    // Wrong code would wait for minutes.
    match timeout(bound() / 4, connecting).await {
        Ok(result) => {
            rule.holds(result.is_err(), "connect fails", told(&result));
            let waited = began.elapsed();
            // Whoever keeps a little back is right as well.
            let patient = waited >= limits.connect / 2;
            rule.holds(patient, "connect waits for 200 ms", format_args!("{} ms", waited.as_millis()));
        }
        Err(_) => {
            let seen = format!("it was still waiting after {} ms", began.elapsed().as_millis());
            rule.broken("connect fails after 200 ms", seen);
        }
    }
    trial.passed()
}

/// A listener whose queue is full: to whoever connects, the system says nothing.
struct Full {
    addr: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
    /// Those who wait, so that a place in the queue is not theirs to give away.
    _waiting: JoinSet<Option<TcpStream>>,
}

impl Full {
    /// How many connections a queue may take before it counts as endless.
    const MOST: usize = 512;
    /// How many in a row must be left waiting.
    const SILENT: u32 = 4;

    async fn start() -> Option<Self> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).ok()?;
        let listener = socket.listen(1).ok()?;
        let addr = listener.local_addr().ok()?;
        let mut waiting = JoinSet::new();
        let mut queue = Vec::new();
        let mut silent = 0;
        while queue.len() < Self::MOST {
            waiting.spawn(async move { TcpStream::connect(addr).await.ok() });
            // A place in the queue is taken within microseconds, so who waits so long has got none.
            match timeout(Duration::from_millis(100), waiting.join_next()).await {
                Ok(joined) => {
                    queue.push(joined?.ok()??);
                    silent = 0;
                }
                Err(_) => silent += 1,
            }
            if silent == Self::SILENT {
                return Some(Self { addr, _listener: listener, _queue: queue, _waiting: waiting });
            }
        }
        None
    }
}
