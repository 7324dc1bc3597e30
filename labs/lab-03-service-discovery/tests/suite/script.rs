// A registry on a socket that says just what a test wants. So the client is tested without the registry of the lab.

use crate::{
    clerk::{seconds, told},
    soon::{soon, soon_after},
};
use lab_03_service_discovery::{Instance, Update};
use proto::discovery::v1::{
    DeregisterRequest, DeregisterResponse, DiscoverRequest, DiscoverResponse, RegisterRequest,
    RegisterResponse, RenewRequest, RenewResponse, Snapshot, WatchRequest, WatchResponse,
    discovery_server::{Discovery, DiscoveryServer},
    watch_response,
};
use std::net::SocketAddr;
use testkit::{
    Rule, Trial,
    grpc::{self, Server},
};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{
    Request, Response, Status,
    service::Routes,
    transport::{Channel, Endpoint},
};

type Message = Result<WatchResponse, Status>;

/// The registry.
pub struct Script {
    trial: Trial,
    server: Server,
    watches: mpsc::UnboundedReceiver<Watch>,
}

/// A Watch that a client has opened. Dropped, it ends with OK.
pub struct Watch {
    trial: Trial,
    pub service: String,
    /// When it was opened.
    pub at: Instant,
    messages: mpsc::UnboundedSender<Message>,
}

impl Script {
    pub async fn start(trial: &Trial) -> Self {
        let (opened, watches) = mpsc::unbounded_channel();
        let calls = Calls { trial: trial.clone(), opened };
        let server = grpc::serve(Routes::new(DiscoveryServer::new(calls))).await;
        Self { trial: trial.clone(), server, watches }
    }

    /// A connection for the client under test.
    pub fn channel(&self) -> Channel {
        channel(self.server.addr())
    }

    /// The next Watch that a client opens.
    pub async fn is_watched(&mut self, rule: &Rule<'_>) -> Watch {
        match soon(rule, "the client watches the service in the registry", self.watches.recv()).await {
            Some(watch) => watch,
            None => rule.broken("the registry lives", "it has ended"),
        }
    }

    /// The first Watch of a client, answered with these instances.
    pub async fn knows(&mut self, rule: &Rule<'_>, instances: &[&Instance]) -> Watch {
        let watch = self.is_watched(rule).await;
        watch.says(Update::Snapshot(instances.iter().map(|one| (*one).clone()).collect()));
        self.trial.did(format!("the client watches {}", watch.service));
        watch
    }
}

impl Watch {
    /// The registry says this.
    pub fn says(&self, update: Update) {
        self.trial.did(format!("the registry says: {}", told(&update)));
        let update = match update {
            Update::Snapshot(instances) => watch_response::Update::Snapshot(Snapshot { instances }),
            Update::Added(instance) => watch_response::Update::Added(instance),
            Update::Removed { id } => watch_response::Update::Removed(id),
        };
        let _ = self.messages.send(Ok(WatchResponse { update: Some(update) }));
    }

    /// The Watch ends like this.
    pub fn fails(self, status: Status) {
        self.trial.did(format!("the registry's Watch ends with {}", grpc::name(status.code())));
        let _ = self.messages.send(Err(status));
    }

    /// The Watch ends with OK.
    pub fn ends(self) {
        self.trial.did("the registry's Watch ends with OK");
    }

    /// The client hangs up.
    pub async fn is_closed(&self, rule: &Rule<'_>) {
        let expected = "the client's Watch of the registry is cancelled";
        // Somebody may look once a second whether the channel is still there.
        soon_after(rule, seconds(2), expected, self.messages.closed()).await;
    }
}

/// A connection that is made when it is needed.
pub fn channel(addr: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{addr}")).expect("an address is an endpoint").connect_lazy()
}

struct Calls {
    trial: Trial,
    opened: mpsc::UnboundedSender<Watch>,
}

#[tonic::async_trait]
impl Discovery for Calls {
    async fn register(&self, _: Request<RegisterRequest>) -> Result<Response<RegisterResponse>, Status> {
        Err(Status::unimplemented("only Watch"))
    }

    async fn renew(&self, _: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        Err(Status::unimplemented("only Watch"))
    }

    async fn deregister(
        &self,
        _: Request<DeregisterRequest>,
    ) -> Result<Response<DeregisterResponse>, Status> {
        Err(Status::unimplemented("only Watch"))
    }

    async fn discover(&self, _: Request<DiscoverRequest>) -> Result<Response<DiscoverResponse>, Status> {
        Err(Status::unimplemented("only Watch"))
    }

    type WatchStream = UnboundedReceiverStream<Message>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (messages, stream) = mpsc::unbounded_channel();
        let (trial, at) = (self.trial.clone(), Instant::now());
        let _ = self.opened.send(Watch { trial, service: request.into_inner().service, at, messages });
        Ok(Response::new(UnboundedReceiverStream::new(stream)))
    }
}
