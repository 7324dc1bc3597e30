//! One record for each call, when it has ended.

use crate::{Side, Sink};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tonic::{
    Status,
    body::Body,
    codegen::{Bytes, StdError},
};
use tower::{Layer, Service};

/// Writes a [`Record`](crate::Record) of every call, once, when the call has ended. It serves a server and a client
/// alike.
///
/// # When a call has ended
///
/// At the first of these, and with this code. The [`Sink`] is called then and there and not by a task of its own: once a
/// call has ended, its record is written.
///
/// | what happens | code |
/// | --- | --- |
/// | the reply's *headers* carry `grpc-status` (Trailers-Only) | that one |
/// | the reply's *trailers* have passed, the last frame of its body | their `grpc-status` |
/// | the trailers carry none, or the body ends without trailers | UNKNOWN |
/// | the reply's body fails | that of the error |
/// | the service within fails instead of answering | that of the [`Status`] that [`Status::from_error`] makes of it |
/// | the future of the call, or the body of the reply, is dropped before any of that | CANCELLED |
///
/// The HTTP status plays no part: a call that fails has 200 there as well.
///
/// # What it counts
///
/// Messages, by [`MessageCounter`](crate::MessageCounter), as they pass through the bodies: those of the request towards
/// the service within, those of the reply on their way out of it. A message counts when its last byte has passed.
///
/// # What it reads
///
/// - `method`: the path of the request's URI.
/// - `request_id`: the [`RequestId`](crate::RequestId) in the request's extensions, if there is one. No header.
/// - `caller`: the name of the [`Caller`](crate::Caller) in the *reply's* extensions, if there is one: only code further
///   in knows who is calling, and the reply is what comes back from there.
/// - `duration`: from `call` to the end, by [`tokio::time::Instant`], so that a test can pause the clock. It is `call` that
///   begins a call, and not the first poll of its future, which may come later or never.
///
/// # What it changes
///
/// Nothing: bytes, headers, trailers and extensions pass as they are. Only an error of the service within becomes the
/// [`Status`] that its code was taken from.
#[derive(Clone, Debug)]
pub struct AccessLogLayer {
    side: Side,
    sink: Sink,
}

impl AccessLogLayer {
    /// Records say that they are of this side, and go to this place.
    pub fn new(side: Side, sink: Sink) -> Self {
        Self { side, sink }
    }
}

impl<S> Layer<S> for AccessLogLayer {
    type Service = AccessLog<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AccessLog { inner, side: self.side, sink: self.sink.clone() }
    }
}

/// A service behind an [`AccessLogLayer`].
#[derive(Clone, Debug)]
pub struct AccessLog<S> {
    inner: S,
    side: Side,
    sink: Sink,
}

impl<S, B> Service<http::Request<Body>> for AccessLog<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<StdError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError>,
{
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        todo!("step 2: ready when the service within is")
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        todo!("step 2: watch the request's body, call, watch the reply to its end; a dropped call ends too")
    }
}
