//! The server of this lab as a program. Given, and complete.
//!
//! `cargo run -p solution-01-health-check -- [--port P] [--depends-on HOST:PORT]... [--token T]`

use solution_01_health_check as lab;

use lab::{
    Drained, Guard, HealthService, Probe, ProbePolicy, ServingStatus, ShutdownPolicy, StatusBoard, Users,
    keep_ready, routes, serve,
};
use proto::{
    grpc::health::v1::health_server::HealthServer, users::v1::user_service_server::UserServiceServer,
};
use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
};
use tokio_stream::StreamExt as _;
use tonic::{service::Routes, transport::Server};

type Failed = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: [--port P] [--depends-on HOST:PORT]... [--token T]

  --port P                listen on 127.0.0.1:P; 50051 if not given, 0 for any free port
  --depends-on HOST:PORT  users are SERVING only while this port accepts connections; may be repeated
  --token T               ask callers of the users for `authorization: Bearer T`
  --help                  say this and end";

/// Long enough to be watched from another terminal.
const SHUTDOWN: ShutdownPolicy =
    ShutdownPolicy { lame_duck: Duration::from_secs(5), drain: Duration::from_secs(10) };

/// Quick enough to be watched from another terminal.
fn probes() -> ProbePolicy {
    ProbePolicy { period: Duration::from_secs(2), ..ProbePolicy::default() }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failed> {
    let Some(options) = Options::parse(env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    let board = StatusBoard::new();
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener =
        TcpListener::bind(addr).await.map_err(|error| format!("cannot listen on {addr}: {error}"))?;
    let addr = listener.local_addr()?;
    println!("listening on {addr}");

    let dependencies: Vec<Arc<dyn Probe>> =
        options.depends_on.iter().map(|addr| Arc::new(Connects(addr.clone())) as _).collect();
    tokio::spawn(print_changes(board.clone()));
    tokio::spawn({
        let board = board.clone();
        async move { keep_ready(board, Users::SERVICE, dependencies, probes()).await }
    });

    let services = with_reflection(services(&board, options.guard()))?;
    let stop = asked_to_stop()?;
    let going_away = async move {
        stop.await;
        println!("going away: NOT_SERVING for {:?}, then no new connections", SHUTDOWN.lame_duck);
    };
    let serving = serve(listener, services.clone(), board, SHUTDOWN, going_away);
    let drained = match tokio::spawn(serving).await {
        Ok(drained) => drained?,
        Err(panicked) => {
            println!("serve panicked ({panicked}): serving on, without a graceful end");
            // Tokio's handlers stay when the future that waited for them is gone: without a new wait nothing but
            // SIGKILL would end this process.
            tokio::select! {
                ended = Server::builder().add_routes(services).serve(addr) => ended?,
                () = asked_to_stop()? => println!("gone"),
            }
            return Ok(());
        }
    };
    match drained {
        Drained::Complete => println!("every call was finished"),
        Drained::TimedOut => println!("calls were still in flight after {:?}", SHUTDOWN.drain),
    }
    Ok(())
}

/// The services, or all of them without a guard while `routes` is not written yet.
fn services(board: &StatusBoard, guard: Guard) -> Routes {
    catch_unwind(AssertUnwindSafe(|| routes(board.clone(), Users::new(), guard))).unwrap_or_else(|_| {
        println!("routes panicked: serving without a guard");
        Routes::new(HealthServer::new(HealthService::new(board.clone())))
            .add_service(UserServiceServer::new(Users::new()))
    })
}

/// Lets tools such as grpcurl ask which services there are. Both versions: most tools know only the older one.
fn with_reflection(services: Routes) -> Result<Routes, Failed> {
    let contracts = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
    };
    Ok(services.add_service(contracts().build_v1()?).add_service(contracts().build_v1alpha()?))
}

/// Says on standard output what a Watch of the users would tell.
async fn print_changes(board: StatusBoard) {
    // Before anybody has set a status, that it is unknown is no news.
    let unknown = |status: &ServingStatus| *status == ServingStatus::ServiceUnknown;
    let mut statuses = board.watch(Users::SERVICE).skip_while(unknown);
    while let Some(status) = statuses.next().await {
        println!("{} is {}", Users::SERVICE, status.as_str_name());
    }
}

/// Ready on Ctrl-C, and on SIGTERM, which is how Kubernetes and systemd ask.
fn asked_to_stop() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready while a TCP connection to this address can be made.
struct Connects(String);

#[tonic::async_trait]
impl Probe for Connects {
    async fn probe(&self) -> bool {
        TcpStream::connect(&self.0).await.is_ok()
    }
}

/// What the command line says.
struct Options {
    port: u16,
    depends_on: Vec<String>,
    token: Option<String>,
}

impl Options {
    /// `None` when help is asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, Failed> {
        let mut options = Self { port: 50051, depends_on: Vec::new(), token: None };
        while let Some(option) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{option} needs a value\n\n{USAGE}"));
            match option.as_str() {
                "--port" => {
                    let port = value()?;
                    options.port = port
                        .parse()
                        .map_err(|_| format!("--port takes a number from 0 to 65535, not {port:?}"))?;
                }
                "--depends-on" => options.depends_on.push(value()?),
                "--token" => options.token = Some(value()?),
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown option {option}\n\n{USAGE}").into()),
            }
        }
        Ok(Some(options))
    }

    fn guard(&self) -> Guard {
        self.token.as_deref().map_or_else(Guard::open, Guard::asking_for)
    }
}
