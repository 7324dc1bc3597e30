//! One record for each call, when it has ended.

// stub: drop
use crate::{Caller, MessageCounter, Record, RequestId};
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::time::Instant;
use tonic::Code;
// stub: end
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
        // stub: todo!("step 2: ready when the service within is")
        self.inner.poll_ready(context).map_err(|error| Status::from_error(error.into()))
        // stub: end
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // stub: todo!("step 2: watch the request's body, call, watch the reply to its end; a dropped call ends too")
        let mut call = Call::begin(self.side, self.sink.clone(), &request);
        let requests = Arc::clone(&call.requests);
        let request =
            request.map(|body| Body::new(WatchedRequest { body, counter: <_>::default(), requests }));
        // Called here and not in the future, so it is the very instance that was polled ready.
        let reply = self.inner.call(request);
        Box::pin(async move {
            match reply.await {
                Ok(reply) => Ok(watch(reply.map(Body::new), call)),
                Err(error) => {
                    let status = Status::from_error(error.into());
                    call.end(status.code());
                    Err(status)
                }
            }
        })
        // stub: end
    }
}
// stub: drop

/// A call that is under way. It moves along with whatever keeps the call alive: first the future, then the reply's
/// body. When that is dropped, so is this, and so nobody can forget to write a record.
struct Call {
    sink: Sink,
    began: Instant,
    record: Option<Record>,
    /// Shared with the request's body, which goes its own way.
    requests: Arc<AtomicU64>,
}

impl Call {
    fn begin<A>(side: Side, sink: Sink, request: &http::Request<A>) -> Self {
        let record = Record {
            side,
            method: request.uri().path().to_owned(),
            request_id: request.extensions().get::<RequestId>().cloned(),
            caller: None,
            code: Code::Cancelled,
            requests: 0,
            replies: 0,
            duration: <_>::default(),
        };
        Self { sink, began: Instant::now(), record: Some(record), requests: <_>::default() }
    }

    /// Writes the record. From then on there is none, so a second end says nothing.
    fn end(&mut self, code: Code) {
        let Some(record) = mem::take(&mut self.record) else { return };
        // The requests are counted on the way to the service. Its reply, which is what brings us here, comes later.
        let requests = self.requests.load(Ordering::Relaxed);
        self.sink.take(Record { code, requests, duration: self.began.elapsed(), ..record });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

fn watch(reply: http::Response<Body>, mut call: Call) -> http::Response<Body> {
    if let Some(record) = &mut call.record {
        record.caller = reply.extensions().get::<Caller>().map(|caller| caller.name().to_owned());
    }
    match code_in(reply.headers()) {
        Some(code) => call.end(code),
        // Whoever gets such a body need not poll it, and then nothing would say how the call ended.
        None if reply.body().is_end_stream() => call.end(Code::Unknown),
        None => {}
    }
    reply.map(|body| Body::new(WatchedReply { body, counter: <_>::default(), call }))
}

/// The status in headers or trailers.
fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|status| Code::from_bytes(status.as_bytes()))
}

/// Counts what passes on its way to the service.
struct WatchedRequest {
    body: Body,
    counter: MessageCounter,
    requests: Arc<AtomicU64>,
}

impl http_body::Body for WatchedRequest {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let ended = frame.data_ref().map_or(0, |bytes| self.counter.read(bytes));
            self.requests.fetch_add(ended, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Counts what passes on its way to the caller, and sees the call end.
struct WatchedReply {
    body: Body,
    counter: MessageCounter,
    call: Call,
}

impl http_body::Body for WatchedReply {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { body, counter, call } = &mut *self;
        let polled = Pin::new(body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(bytes), Some(record)) = (frame.data_ref(), &mut call.record) {
                    record.replies += counter.read(bytes);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    call.end(code_in(trailers).unwrap_or(Code::Unknown));
                }
            }
            Poll::Ready(Some(Err(status))) => call.end(status.code()),
            Poll::Ready(None) => call.end(Code::Unknown),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
// stub: end
