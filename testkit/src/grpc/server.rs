//! A gRPC server for one test.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::{net::TcpListener, task::AbortHandle};
use tonic::{
    body::Body,
    codegen::StdError,
    service::Routes,
    transport::{self, server::TcpIncoming},
};
use tower::Service;

/// A running server. It stops when this is dropped, also when the test panics.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    task: AbortHandle,
}

impl Server {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ends the listener. Open connections are tasks of their own; they end with the test's runtime.
        self.task.abort();
    }
}

/// Serves any services of tonic's on a free port of this machine.
///
/// # Panics
/// When the machine has no free port.
pub async fn serve(routes: Routes) -> Server {
    serve_stack(routes.prepare()).await
}

/// Serves a service with whatever layers stand around it, on a free port of this machine.
///
/// # Panics
/// When the machine has no free port.
pub async fn serve_stack<S>(stack: S) -> Server
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<StdError> + Send + 'static,
{
    let listener = listen().await;
    let addr = listener.local_addr().expect("a bound listener has an address");
    // Without it the system holds small messages back for up to 40 ms, and every test would wait for that.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let task = tokio::spawn(transport::Server::builder().serve_with_incoming(stack, incoming));
    Server { addr, task: task.abort_handle() }
}

/// A listener on a free port, for code that serves by itself. Connections are accepted by the system from now
/// on, so nobody has to wait until the server is up.
///
/// # Panics
/// When the machine has no free port.
pub async fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port on 127.0.0.1")
}
