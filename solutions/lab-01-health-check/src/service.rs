//! The health calls: what the board knows, in the words of the protocol.

use crate::StatusBoard;
use proto::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, health_server::Health,
};
// stub: drop
use crate::ServingStatus;
// stub: end
use std::pin::Pin;
use tokio_stream::Stream;
// stub: drop
use tokio_stream::StreamExt as _;
// stub: end
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
        // stub: todo!("step 1: the status of the service that the request names; NOT_FOUND if it is unknown")
        let service = request.into_inner().service;
        match self.board.status(&service) {
            Some(status) => Ok(Response::new(response(status))),
            None => Err(Status::not_found(format!("no service {service:?} on this server"))),
        }
        // stub: end
    }

    /// The status of every service now, and of the whole server under `""`.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when more than [`LIST_LIMIT`] services are on the board.
    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        // stub: todo!("step 1: every status on the board, unless there are too many")
        let statuses = self.board.statuses();
        let services = statuses.keys().filter(|name| !name.is_empty()).count();
        if services > LIST_LIMIT {
            return Err(Status::resource_exhausted(format!("{services} services, more than {LIST_LIMIT}")));
        }
        let statuses = statuses.into_iter().map(|(name, status)| (name, response(status))).collect();
        Ok(Response::new(HealthListResponse { statuses }))
        // stub: end
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
        // stub: todo!("step 2: one message for each status that the board's watch gives")
        let statuses = self.board.watch(&request.into_inner().service);
        Ok(Response::new(Box::pin(statuses.map(|status| Ok(response(status))))))
        // stub: end
    }
}
// stub: drop

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
// stub: end
