//! What is served to whom, and how a server goes away without a caller noticing.

use crate::{Guard, StatusBoard};
use proto::users::v1::user_service_server::UserService;
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::{service::Routes, transport};

/// How long a server takes to go away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownPolicy {
    /// How long it says NOT_SERVING and still takes new connections and calls: the time that load balancers
    /// need to notice. May be zero.
    pub lame_duck: Duration,
    /// How long calls in flight may take after that: it is counted from the end of the lame duck, so from the
    /// signal they have the time of both. May be zero.
    pub drain: Duration,
}

/// How a server went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every call in flight came to its end.
    Complete,
    /// Calls were still in flight when the time for them was over. They end with the process.
    TimedOut,
}

/// Serves until `signal` is ready, for months if need be: no time of `policy` begins before that. Then goes away
/// in this order:
///
/// 1. The board is [shut down](StatusBoard::shut_down): NOT_SERVING everywhere. Nothing else changes yet.
/// 2. For the time of `lame_duck` the server goes on: new connections are accepted and calls answered.
/// 3. It stops accepting: from now on a connection is refused.
/// 4. Calls in flight may go on for the time of `drain` at most. When the last one has ended,
///    [`Drained::Complete`] is returned, without waiting for the rest of the time. When the time is over,
///    [`Drained::TimedOut`] is returned.
///
/// An open Watch is a call in flight too, and one that nobody else ends: it ends because the board was shut
/// down.
///
/// # Errors
/// What tonic says when it cannot serve.
pub async fn serve(
    listener: TcpListener,
    routes: Routes,
    board: StatusBoard,
    policy: ShutdownPolicy,
    signal: impl Future<Output = ()> + Send,
) -> Result<Drained, transport::Error> {
    todo!("step 4: serve; on the signal tell everyone, wait, stop accepting, drain, and say how it went")
}

/// What the server offers: health to everyone, users to those who pass the guard.
///
/// Health answers from `board` and is not guarded: a prober or a load balancer has no token, and a server that
/// refuses them looks dead.
pub fn routes(board: StatusBoard, users: impl UserService, guard: Guard) -> Routes {
    todo!("step 5: put the guard before the users, and nothing before health")
}
