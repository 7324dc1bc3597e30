//! The registry on the wire: [`discovery.v1`](proto::discovery::v1).

use crate::ServiceRegistry;
use proto::discovery::v1::{
    DeregisterRequest, DeregisterResponse, DiscoverRequest, DiscoverResponse, RegisterRequest,
    RegisterResponse, RenewRequest, RenewResponse, WatchRequest, WatchResponse, discovery_server::Discovery,
};
// stub: drop
use crate::{LeaseId, Refused, Update};
use proto::discovery::v1::{Snapshot, watch_response};
// stub: end
use std::pin::Pin;
// stub: drop
use std::time::Duration;
// stub: end
use tokio_stream::Stream;
// stub: drop
use tokio_stream::StreamExt as _;
// stub: end
use tonic::{Request, Response, Status};

/// `discovery.v1.Discovery` over a [`ServiceRegistry`]. Serve it with
/// [`DiscoveryServer`](proto::discovery::v1::discovery_server::DiscoveryServer).
#[derive(Clone, Debug)]
pub struct DiscoveryService {
    registry: ServiceRegistry,
}

impl DiscoveryService {
    /// The calls go to this registry.
    pub fn new(registry: ServiceRegistry) -> Self {
        Self { registry }
    }
}

#[tonic::async_trait]
impl Discovery for DiscoveryService {
    /// [`ServiceRegistry::register`] on the wire.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when there is no instance in the request, and when the registry calls it
    /// [invalid](crate::Refused::Invalid).
    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<RegisterResponse>, Status> {
        // stub: todo!("step 3: register what the request brings, and answer with the lease")
        let RegisterRequest { service, instance, ttl_ms } = request.into_inner();
        let instance = instance.ok_or_else(|| Status::invalid_argument("an instance is needed"))?;
        let ttl = Duration::from_millis(ttl_ms);
        let LeaseId(lease) = self.registry.register(&service, instance, ttl).await.map_err(status)?;
        Ok(Response::new(RegisterResponse { lease }))
        // stub: end
    }

    /// [`ServiceRegistry::renew`] on the wire.
    ///
    /// # Errors
    /// NOT_FOUND when the [lease is over](crate::Refused::LeaseOver).
    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        // stub: todo!("step 3: renew the lease")
        self.registry.renew(LeaseId(request.into_inner().lease)).await.map_err(status)?;
        Ok(Response::new(RenewResponse {}))
        // stub: end
    }

    /// [`ServiceRegistry::deregister`] on the wire. Never fails.
    async fn deregister(
        &self,
        request: Request<DeregisterRequest>,
    ) -> Result<Response<DeregisterResponse>, Status> {
        // stub: todo!("step 3: give the lease up")
        self.registry.deregister(LeaseId(request.into_inner().lease)).await;
        Ok(Response::new(DeregisterResponse {}))
        // stub: end
    }

    /// [`ServiceRegistry::discover`] on the wire. Never fails.
    async fn discover(
        &self,
        request: Request<DiscoverRequest>,
    ) -> Result<Response<DiscoverResponse>, Status> {
        // stub: todo!("step 3: the instances of the service that the request names")
        let instances = self.registry.discover(&request.into_inner().service).await;
        Ok(Response::new(DiscoverResponse { instances }))
        // stub: end
    }

    /// What a Watch answers with.
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    /// [`ServiceRegistry::watch`] on the wire: one message for each of its items.
    ///
    /// The call never fails, whatever the service is called. A client who reads slowly holds nobody up, and one who has
    /// gone leaves no task behind.
    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        // stub: todo!("step 3: one message for each update that the registry's watch gives")
        // No task and no queue of our own between the two: tonic takes the next update when the client has room for it.
        let updates = self.registry.watch(&request.into_inner().service).await;
        Ok(Response::new(Box::pin(updates.map(|update| Ok(response(update))))))
        // stub: end
    }
}
// stub: drop

fn response(update: Update) -> WatchResponse {
    let update = match update {
        Update::Snapshot(instances) => watch_response::Update::Snapshot(Snapshot { instances }),
        Update::Added(instance) => watch_response::Update::Added(instance),
        Update::Removed { id } => watch_response::Update::Removed(id),
    };
    WatchResponse { update: Some(update) }
}

fn status(refused: Refused) -> Status {
    match refused {
        Refused::Invalid(what) => Status::invalid_argument(what),
        Refused::LeaseOver => Status::not_found(refused.to_string()),
    }
}
// stub: end
