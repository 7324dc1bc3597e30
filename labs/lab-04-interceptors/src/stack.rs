//! The layers in their order, before a server and behind a client.

use crate::{Callers, Ledger, Sink};
use tonic::{Status, body::Body, codegen::StdError, service::Routes};
use tower::{Service, util::BoxCloneSyncService};

/// A service with everything that stands around it. Serve it with `Server::serve_with_incoming(stack, …)`, or make a
/// generated client of it with `…Client::new(stack)`.
pub type Stack = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Status>;

/// What a server answers with.
///
/// - Every call has a request id, and a record of the server's side: also one that is refused, one to an unknown service,
///   and one to `open`. The record has the id that the caller sees, and the caller's name when that is known.
/// - The calls of the ledger take a token and a right ([`AuthLayer`](crate::AuthLayer)).
/// - After that, and only for the ledger, the dry run is read ([`read_dry_run`](crate::read_dry_run)).
/// - `open` is answered without a token, such as health: a prober has none.
/// - A call to a service that is neither fails with UNIMPLEMENTED, token or not.
pub fn inbound(ledger: Ledger, open: Routes, callers: Callers, log: Sink) -> Stack {
    todo!("step 5: the guarded ledger beside what is open; the log around both; the id around the log")
}

/// What a client of another server calls through; `channel` is a connection to it.
///
/// - Every call has a request id in its metadata: that of its extensions, or as [`RequestIdLayer`](crate::RequestIdLayer)
///   says.
/// - `DryRun(true)` in its extensions goes into its metadata ([`tell_dry_run`](crate::tell_dry_run)).
/// - Every call has a record of the client's side, with that id and with the code that the caller gets.
pub fn outbound<S>(channel: S, log: Sink) -> Stack
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<StdError> + Send + 'static,
{
    todo!("step 4: the id, the log, the dry run, the channel")
}
