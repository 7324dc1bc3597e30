//! The layers in their order, before a server and behind a client.

use crate::{Callers, Ledger, Sink};
// stub: drop
use crate::{AccessLogLayer, AuthLayer, RequestIdLayer, Side, read_dry_run, tell_dry_run};
use proto::ledger::v1::ledger_server::LedgerServer;
// stub: end
use tonic::{Status, body::Body, codegen::StdError, service::Routes};
// stub: drop
use tonic::service::{InterceptorLayer, LayerExt as _};
// stub: end
use tower::{Service, util::BoxCloneSyncService};
// stub: drop
use tower::ServiceBuilder;
// stub: end

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
    // stub: todo!("step 5: the guarded ledger beside what is open; the log around both; the id around the log")
    let guarded = ServiceBuilder::new()
        .layer(AuthLayer::new(callers))
        .layer(InterceptorLayer::new(read_dry_run))
        .named_layer(LedgerServer::new(ledger));
    let services = ServiceBuilder::new()
        .layer(RequestIdLayer)
        .layer(AccessLogLayer::new(Side::Server, log))
        .service(open.add_service(guarded));
    Stack::new(services)
    // stub: end
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
    // stub: todo!("step 4: the id, the log, the dry run, the channel")
    let stack = ServiceBuilder::new()
        .layer(RequestIdLayer)
        .layer(AccessLogLayer::new(Side::Client, log))
        .layer(InterceptorLayer::new(tell_dry_run))
        .service(channel);
    Stack::new(stack)
    // stub: end
}
