//! The server and the client of this lab as a program. Given, and complete.
//!
//! `cargo run -p solution-00-user-service -- serve|get|list|create`

use solution_00_user_service as lab;

use lab::{Limits, Memory, NewUser, User, UserClient, UserState, routes, with_reflection};
use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tonic::{
    Status,
    transport::{Server, server::TcpIncoming},
};
use tonic_types::StatusExt as _;

type Failed = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: serve [--port P]
       get ID [--server URL]
       list [--page N] [--page-size N] [--server URL]
       create --name NAME --email EMAIL [--phone PHONE] [--server URL]

  --port P        listen on 127.0.0.1:P; 50051 if not given, 0 for any free port
  --server URL    call this server; http://127.0.0.1:50051 if not given
  --help          say this and end";

const LIMITS: Limits = Limits { connect: Duration::from_secs(2), call: Duration::from_secs(5) };

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
    let mut words = env::args().skip(1);
    let command = words.next().ok_or_else(|| wrong("what shall it do?"))?;
    if ["--help", "-h"].contains(&command.as_str()) {
        println!("{USAGE}");
        return Ok(());
    }
    let Some(options) = Options::parse(words)? else {
        println!("{USAGE}");
        return Ok(());
    };
    match command.as_str() {
        "serve" => serve(options.port).await,
        "get" => get(&options).await,
        "list" => list(&options).await,
        "create" => create(options).await,
        _ => Err(wrong(&format!("unknown command {command}"))),
    }
}

async fn serve(port: u16) -> Result<(), Failed> {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener =
        TcpListener::bind(addr).await.map_err(|error| format!("cannot listen on {addr}: {error}"))?;
    println!("listening on {}", listener.local_addr()?);

    let routes = with_reflection(routes(Arc::new(Memory::new())))?;
    // Without it the system holds small messages back for up to 40 ms, in the hope of more.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder().add_routes(routes).serve_with_incoming_shutdown(incoming, asked_to_stop()?).await?;
    println!("every call was finished");
    Ok(())
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

async fn get(options: &Options) -> Result<(), Failed> {
    let id = options.id.as_deref().ok_or_else(|| wrong("get needs an ID"))?;
    match options.connect().await?.get(id).await.map_err(told)? {
        Some(user) => println!("{}", in_words(&user)),
        None => println!("nobody has the id {id}"),
    }
    Ok(())
}

async fn list(options: &Options) -> Result<(), Failed> {
    let page = options.connect().await?.list(options.page, options.page_size).await.map_err(told)?;
    page.users.iter().for_each(|user| println!("{}", in_words(user)));
    println!("{} of {} users", page.users.len(), page.total);
    Ok(())
}

async fn create(options: Options) -> Result<(), Failed> {
    let client = options.connect().await?;
    // What is missing here is for the server to complain of.
    let Options { name, email, phone, .. } = options;
    let user = client.create(NewUser { name, email, phone }).await.map_err(told)?;
    println!("{}", in_words(&user));
    Ok(())
}

fn in_words(user: &User) -> String {
    let User { id, name, email, phone, state } = user;
    let phone = phone.as_deref().unwrap_or("no phone");
    let state = match state {
        Some(UserState::Active) => "active",
        Some(UserState::Suspended) => "suspended",
        None => "no state",
    };
    format!("{id}  {name}  {email}  {phone}  {state}")
}

/// A failed call for a person: its code, its text, and each violation of its details.
fn told(status: Status) -> Failed {
    let mut text = format!("{:?}: {}", status.code(), status.message());
    for violation in status.get_details_bad_request().into_iter().flat_map(|request| request.field_violations)
    {
        text.push_str(&format!("\n  {}: {}", violation.field, violation.description));
    }
    text.into()
}

/// What is behind an error of the transport, whose own text is always the same.
fn root_of<'a>(mut error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

fn wrong(what: &str) -> Failed {
    format!("{what}\n\n{USAGE}").into()
}

/// What the command line says after the command.
struct Options {
    port: u16,
    server: String,
    id: Option<String>,
    page: i32,
    page_size: i32,
    name: String,
    email: String,
    phone: Option<String>,
}

impl Options {
    /// `None` when help is asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, Failed> {
        let mut options = Self {
            port: 50051,
            server: "http://127.0.0.1:50051".to_owned(),
            id: None,
            page: 0,
            page_size: 0,
            name: String::new(),
            email: String::new(),
            phone: None,
        };
        while let Some(option) = words.next() {
            let mut value = || words.next().ok_or_else(|| wrong(&format!("{option} needs a value")));
            match option.as_str() {
                "--port" => options.port = number(&option, value()?)?,
                "--server" => options.server = value()?,
                "--page" => options.page = number(&option, value()?)?,
                "--page-size" => options.page_size = number(&option, value()?)?,
                "--name" => options.name = value()?,
                "--email" => options.email = value()?,
                "--phone" => options.phone = Some(value()?),
                "--help" | "-h" => return Ok(None),
                _ if options.id.is_none() && !option.starts_with("--") => options.id = Some(option),
                _ => return Err(wrong(&format!("unknown option {option}"))),
            }
        }
        Ok(Some(options))
    }

    async fn connect(&self) -> Result<UserClient, Failed> {
        let connected = UserClient::connect(self.server.clone(), LIMITS).await;
        connected.map_err(|error| format!("cannot connect to {}: {}", self.server, root_of(&*error)).into())
    }
}

fn number<T: std::str::FromStr>(option: &str, text: String) -> Result<T, Failed> {
    text.parse().map_err(|_| format!("{option} takes a number that fits, not {text:?}").into())
}
