//! The health calls: what the board knows, in the words of the protocol.

use crate::StatusBoard;
use proto::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, health_server::Health,
};
use std::pin::Pin;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

/// The most services that List answers with. The protocol's number, from gRFC A90; `""` does not count.
pub const LIST_LIMIT: usize = 100;

/// `grpc.health.v1.Health` over a [`StatusBoard`]. Serve it with
/// [`HealthServer`](proto::grpc::health::v1::health_server::HealthServer).
#[derive(Clone, Debug)]
pub struct HealthService {
    board: StatusBoard,
}

impl HealthService {
    /// The calls answer from this board.
    pub fn new(board: StatusBoard) -> Self {
        Self { board }
    }
}

#[tonic::async_trait]
impl Health for HealthService {
    /// The status of one service now.
    ///
    /// # Errors
    /// NOT_FOUND when the service is not on the board. (`""` always is.)
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        todo!("step 1: the status of the service that the request names; NOT_FOUND if it is unknown")
    }

    /// The status of every service now, and of the whole server under `""`.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when more than [`LIST_LIMIT`] services are on the board.
    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        todo!("step 1: every status on the board, unless there are too many")
    }

    /// What a Watch answers with.
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    /// The status of one service now and whenever it changes: [`StatusBoard::watch`] on the wire.
    ///
    /// The call never fails. It ends with OK when the board is shut down.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        todo!("step 2: one message for each status that the board's watch gives")
    }
}
