//! The registry on the wire: [`discovery.v1`](proto::discovery::v1).

use crate::ServiceRegistry;
use proto::discovery::v1::{
    DeregisterRequest, DeregisterResponse, DiscoverRequest, DiscoverResponse, RegisterRequest,
    RegisterResponse, RenewRequest, RenewResponse, WatchRequest, WatchResponse, discovery_server::Discovery,
};
use std::pin::Pin;
use tokio_stream::Stream;
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
        todo!("step 3: register what the request brings, and answer with the lease")
    }

    /// [`ServiceRegistry::renew`] on the wire.
    ///
    /// # Errors
    /// NOT_FOUND when the [lease is over](crate::Refused::LeaseOver).
    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        todo!("step 3: renew the lease")
    }

    /// [`ServiceRegistry::deregister`] on the wire. Never fails.
    async fn deregister(
        &self,
        request: Request<DeregisterRequest>,
    ) -> Result<Response<DeregisterResponse>, Status> {
        todo!("step 3: give the lease up")
    }

    /// [`ServiceRegistry::discover`] on the wire. Never fails.
    async fn discover(
        &self,
        request: Request<DiscoverRequest>,
    ) -> Result<Response<DiscoverResponse>, Status> {
        todo!("step 3: the instances of the service that the request names")
    }

    /// What a Watch answers with.
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    /// [`ServiceRegistry::watch`] on the wire: one message for each of its items.
    ///
    /// The call never fails, whatever the service is called. A client who reads slowly holds nobody up, and one who has
    /// gone leaves no task behind.
    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        todo!("step 3: one message for each update that the registry's watch gives")
    }
}
