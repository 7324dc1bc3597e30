//! The registry of this lab as a program, with instances and a caller to look at. Given, and complete.
//!
//! `cargo run -p lab-03-service-discovery -- [--port P] [--instances N] [--ttl MS]`

use lab_03_service_discovery as lab;

use lab::{
    BalancePolicy, BalancedChannel, DiscoveryService, EXPIRY_LAG, Instance, MAX_TTL, ServiceRegistry, Update,
};
use proto::{
    discovery::v1::{
        DeregisterRequest, RegisterRequest, RenewRequest, discovery_client::DiscoveryClient,
        discovery_server::DiscoveryServer,
    },
    users::v1::{
        GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, User,
        user_service_client::UserServiceClient,
        user_service_server::{UserService, UserServiceServer},
    },
};
use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_stream::StreamExt as _;
use tonic::{
    Code, Request, Response, Status,
    service::Routes,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What the instances offer.
const SERVICE: &str = "users.v1.UserService";

const USAGE: &str = "usage: [--port P] [--instances N] [--ttl MS]

  --port P        the registry listens on 127.0.0.1:P; 50051 if not given, 0 for any free port
  --instances N   also start N servers of users.v1.UserService that register themselves, and somebody who calls
                  one of them each second; at most 100, 0 if not given
  --ttl MS        the lease of each of them, in milliseconds; 3000 if not given
  --help          say this and end";

/// The most servers that are started.
const MOST: u16 = 100;

/// How long the instances have to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

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
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener =
        TcpListener::bind(addr).await.map_err(|error| format!("cannot listen on {addr}: {error}"))?;
    let addr = listener.local_addr()?;
    println!("the registry listens on {addr}");

    let registry = ServiceRegistry::new();
    let routes = with_reflection(Routes::new(DiscoveryServer::new(DiscoveryService::new(registry.clone()))))?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(incoming));
    tokio::spawn(print_changes(registry));

    let stop = asked_to_stop()?;
    let (goodbye, leaving) = tokio::sync::watch::channel(());
    let mut instances = JoinSet::new();
    for number in 1..=options.instances {
        let (name, ttl) = (format!("users-{number}"), options.ttl);
        instances.spawn(offer_users(name, channel_to(addr)?, ttl, leaving.clone()));
    }
    drop(leaving);
    if options.instances > 0 {
        tokio::spawn(call_each_second(channel_to(addr)?));
    }
    tokio::select! {
        ended = server => ended??,
        () = stop => {
            println!("going away");
            drop(goodbye);
            // Instances that do not come to an end are cut off; the registry goes anyway.
            let _ = timeout(GOODBYE, instances.join_all()).await;
        }
    }
    Ok(())
}

fn channel_to(addr: SocketAddr) -> Result<Channel, Failed> {
    Ok(Endpoint::from_shared(format!("http://{addr}"))?.connect_lazy())
}

/// Lets tools such as grpcurl ask which services there are. Both versions: most tools know only the older one.
fn with_reflection(services: Routes) -> Result<Routes, Failed> {
    let contracts = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
    };
    Ok(services.add_service(contracts().build_v1()?).add_service(contracts().build_v1alpha()?))
}

/// Says on standard output what a watcher of the users is told.
async fn print_changes(registry: ServiceRegistry) {
    let mut updates = registry.watch(SERVICE).await;
    while let Some(update) = updates.next().await {
        match update {
            Update::Snapshot(all) => println!("{SERVICE}: {} instances", all.len()),
            Update::Added(Instance { id, address }) => println!("{SERVICE}: added {id} at {address}"),
            Update::Removed { id } => println!("{SERVICE}: removed {id}"),
        }
    }
}

/// A server of users that registers itself, and gives its lease up when everybody leaves.
async fn offer_users(
    name: String,
    registry: Channel,
    ttl: Duration,
    mut leaving: tokio::sync::watch::Receiver<()>,
) -> Result<(), Failed> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let instance = Instance { id: name.clone(), address: listener.local_addr()?.to_string() };
    let users = UserServiceServer::new(Users { name });
    tokio::spawn(Server::builder().add_service(users).serve_with_incoming(TcpIncoming::from(listener)));

    let mut registry = DiscoveryClient::new(registry);
    let ttl_ms = u64::try_from(ttl.as_millis())?;
    let mut lease = None;
    loop {
        // Three tries before the lease is over: a lost one costs nothing.
        let pause = sleep(ttl / 3);
        lease = match lease {
            None => register(&mut registry, &instance, ttl_ms).await,
            Some(lease) => match registry.renew(RenewRequest { lease }).await {
                // Too late, or the registry has begun anew. Its answer is the order to register again.
                Err(status) if status.code() == Code::NotFound => {
                    register(&mut registry, &instance, ttl_ms).await
                }
                // Whether it was renewed is not known. Next time it will be.
                _ => Some(lease),
            },
        };
        tokio::select! {
            () = pause => {}
            // Nobody ever sends anything: it is closed when everybody leaves.
            _ = leaving.changed() => break,
        }
    }
    if let Some(lease) = lease {
        registry.deregister(DeregisterRequest { lease }).await?;
    }
    Ok(())
}

async fn register(registry: &mut DiscoveryClient<Channel>, instance: &Instance, ttl_ms: u64) -> Option<u64> {
    let request = RegisterRequest { service: SERVICE.into(), instance: Some(instance.clone()), ttl_ms };
    match registry.register(request).await {
        Ok(response) => Some(response.into_inner().lease),
        Err(status) => {
            println!("{} cannot register: {status}", instance.id);
            None
        }
    }
}

/// Calls the users through the channel of this lab.
async fn call_each_second(registry: Channel) {
    let channel = BalancedChannel::new(registry, SERVICE, BalancePolicy::default());
    let mut users = UserServiceClient::new(channel);
    loop {
        match users.get_user(GetUserRequest { id: "u1".into() }).await {
            Ok(response) => println!("answered by {}", response.into_inner().user.unwrap_or_default().name),
            Err(status) => println!("{:?}: {}", status.code(), status.message()),
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Answers every question with its own name.
struct Users {
    name: String,
}

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        let user = User { id: request.into_inner().id, name: self.name.clone(), email: String::new() };
        Ok(Response::new(GetUserResponse { user: Some(user) }))
    }

    async fn list_users(
        &self,
        _request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        Err(Status::unimplemented("this server knows one user"))
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

/// What the command line says.
struct Options {
    port: u16,
    instances: u16,
    ttl: Duration,
}

impl Options {
    /// `None` when help is asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, Failed> {
        let mut options = Self { port: 50051, instances: 0, ttl: Duration::from_secs(3) };
        while let Some(option) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{option} needs a value\n\n{USAGE}"));
            match option.as_str() {
                "--port" => {
                    let port = value()?;
                    options.port = port
                        .parse()
                        .map_err(|_| format!("--port takes a number from 0 to 65535, not {port:?}"))?;
                }
                "--instances" => {
                    let number = value()?;
                    let parsed = number.parse().ok().filter(|number| *number <= MOST);
                    options.instances = parsed.ok_or_else(|| {
                        format!("--instances takes a number from 0 to {MOST}, not {number:?}")
                    })?;
                }
                "--ttl" => {
                    let ttl = value()?;
                    let parsed = ttl.parse().ok().map(Duration::from_millis);
                    let least = EXPIRY_LAG;
                    options.ttl = parsed.filter(|ttl| (least..=MAX_TTL).contains(ttl)).ok_or_else(|| {
                        let (least, most) = (least.as_millis(), MAX_TTL.as_millis());
                        format!("--ttl takes milliseconds, from {least} to {most}, not {ttl:?}")
                    })?;
                }
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown option {option}\n\n{USAGE}").into()),
            }
        }
        Ok(Some(options))
    }
}
