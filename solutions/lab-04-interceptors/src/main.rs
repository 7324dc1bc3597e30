//! The ledger of this lab as a program, with an audit beside it. Given, and complete.
//!
//! `cargo run -p solution-04-interceptors -- [--port P] [--teller TOKEN] [--reader TOKEN]`

use solution_04_interceptors as lab;

use lab::{
    AccessLogLayer, Book, Caller, Callers, Ledger, RequestIdLayer, Right, Side, Sink, inbound, outbound,
};
use proto::ledger::v1::{
    NoteRequest, NoteResponse,
    audit_server::{Audit, AuditServer},
};
use std::{
    env,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    process::ExitCode,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    time::timeout,
};
use tonic::{
    Request, Response, Status,
    service::Routes,
    transport::{Endpoint, Server, server::TcpIncoming},
};
use tower::ServiceBuilder;

type Failed = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: [--port P] [--teller TOKEN] [--reader TOKEN]

  --port P        listen on 127.0.0.1:P; 50054 if not given, 0 for any free port
  --teller TOKEN  who brings this token may read and write; `teller-s3cret` if not given
  --reader TOKEN  who brings this one may only read; `reader-s3cret` if not given
  --help          say this and end";

/// How long calls in flight may go on after Ctrl-C.
const DRAIN: Duration = Duration::from_secs(3);

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
    let stop = asked_to_stop()?;
    let listener = listen(options.port).await?;
    let audit = listen(0).await?;
    println!("listening on {}, with an audit on {}", listener.local_addr()?, audit.local_addr()?);

    // Another server, which only happens to live in this process: what reaches it came over the wire.
    let channel = Endpoint::from_shared(format!("http://{}", audit.local_addr()?))?.connect_lazy();
    let auditing = ServiceBuilder::new()
        .layer(RequestIdLayer)
        .layer(AccessLogLayer::new(Side::Server, log("audit ")))
        .service(Routes::new(AuditServer::new(Silent)));
    tokio::spawn(Server::builder().serve_with_incoming(auditing, incoming(audit)));

    let callers = Callers::new()
        .with(&options.teller, Caller::new("teller", &[Right::Read, Right::Write]))
        .with(&options.reader, Caller::new("reader", &[Right::Read]));
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("ledger.v1.Ledger", tonic_health::ServingStatus::Serving).await;
    let ledger = Ledger::with_audit(Book::new(), outbound(channel, log("ledger")));
    let stack = inbound(ledger, Routes::new(health_service), callers, log("ledger"));
    let (close, closed) = oneshot::channel::<()>();
    let signal = async { drop(closed.await) };
    let mut serving = pin!(Server::builder().serve_with_incoming_shutdown(stack, incoming(listener), signal));
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        () = stop => drop(close),
    }
    match timeout(DRAIN, serving).await {
        Ok(ended) => ended?,
        Err(_) => println!("calls were still in flight after {DRAIN:?}"),
    }
    Ok(())
}

async fn listen(port: u16) -> Result<TcpListener, Failed> {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Ok(TcpListener::bind(addr).await.map_err(|error| format!("cannot listen on {addr}: {error}"))?)
}

fn incoming(listener: TcpListener) -> TcpIncoming {
    // Without it the system holds small messages back for up to 40 ms, in the hope of more.
    TcpIncoming::from(listener).with_nodelay(Some(true))
}

/// Prints each record behind the name of its server.
fn log(server: &'static str) -> Sink {
    // A log that nobody reads any more is no reason to fail the call that it tells of.
    Sink::new(move |record| drop(writeln!(io::stdout(), "{server}  {record}")))
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

/// An audit that hears everything and says nothing.
struct Silent;

#[tonic::async_trait]
impl Audit for Silent {
    async fn note(&self, _request: Request<NoteRequest>) -> Result<Response<NoteResponse>, Status> {
        Ok(Response::new(NoteResponse {}))
    }
}

/// What the command line says.
struct Options {
    port: u16,
    teller: String,
    reader: String,
}

impl Options {
    /// `None` when help is asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, Failed> {
        let mut options =
            Self { port: 50054, teller: "teller-s3cret".to_owned(), reader: "reader-s3cret".to_owned() };
        while let Some(option) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{option} needs a value\n\n{USAGE}"));
            match option.as_str() {
                "--port" => {
                    let port = value()?;
                    options.port = port
                        .parse()
                        .map_err(|_| format!("--port takes a number from 0 to 65535, not {port:?}"))?;
                }
                "--teller" => options.teller = token(value()?)?,
                "--reader" => options.reader = token(value()?)?,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown option {option}\n\n{USAGE}").into()),
            }
        }
        if options.teller == options.reader {
            return Err("--teller and --reader must not be the same: nobody could tell them apart".into());
        }
        Ok(Some(options))
    }
}

/// A token as it is given on the command line. Real ones come from a file: every user of a machine can read its
/// processes' arguments.
fn token(text: String) -> Result<String, Failed> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a token is made of visible characters of ASCII, one or more, without spaces".into());
    }
    Ok(text)
}
