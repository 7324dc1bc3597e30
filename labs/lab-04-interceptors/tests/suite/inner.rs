// A service for a layer to stand around, and calls without a connection.

use http_body_util::StreamBody;
use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use testkit::Rule;
use tonic::{Code, Status, body::Body, codegen::Bytes, codegen::StdError};
use tower::{Service, ServiceExt as _};

pub type Request = http::Request<Body>;
pub type Reply = http::Response<Body>;
pub type Frame = http_body::Frame<Bytes>;
type Answer = Pin<Box<dyn Future<Output = Result<Reply, StdError>> + Send>>;

/// A service that has to be asked whether it is ready before each call, as tower's contract says. A clone of it has
/// not been asked.
pub struct Inner {
    answer: Arc<dyn Fn(Request) -> Answer + Send + Sync>,
    ready: bool,
    /// Calls of an instance that nobody had found ready.
    unasked: Arc<AtomicUsize>,
}

impl Inner {
    pub fn new<F>(answer: impl Fn(Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Reply, StdError>> + Send + 'static,
    {
        Self {
            answer: Arc::new(move |request| Box::pin(answer(request))),
            ready: false,
            unasked: <_>::default(),
        }
    }

    /// Answers each call with this, and takes no notice of it otherwise.
    pub fn answering(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Self {
        Self::new(move |_| std::future::ready(Ok(reply())))
    }
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self { answer: Arc::clone(&self.answer), ready: false, unasked: Arc::clone(&self.unasked) }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inner")
    }
}

impl Service<Request> for Inner {
    type Response = Reply;
    type Error = StdError;
    type Future = Answer;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !std::mem::take(&mut self.ready) {
            self.unasked.fetch_add(1, Ordering::SeqCst);
        }
        (self.answer)(request)
    }
}

/// Waits until a service may be called.
pub async fn is_ready<S>(rule: &Rule<'_>, service: &mut S)
where
    S: Service<Request>,
    S::Error: Into<StdError>,
{
    if let Err(error) = rule.within("the service is ready", service.ready()).await {
        rule.broken("the service is ready", format_args!("the error {}", error.into()));
    }
}

/// Calls a layered service, as tower asks of a caller: ready first.
pub async fn call<S>(rule: &Rule<'_>, service: &mut S, request: Request) -> Result<S::Response, S::Error>
where
    S: Service<Request>,
{
    let called = async { service.ready().await?.call(request).await };
    rule.within("an answer to the call", called).await
}

/// The same for a call that must not fail outside of gRPC.
pub async fn answer<S>(rule: &Rule<'_>, service: &mut S, request: Request) -> S::Response
where
    S: Service<Request>,
    S::Error: Into<StdError>,
{
    match call(rule, service, request).await {
        Ok(reply) => reply,
        Err(error) => rule.broken("a reply", format_args!("the error {}", error.into())),
    }
}

/// Two calls of one service must each go to an instance that was found ready.
pub async fn is_asked_first<S>(rule: &Rule<'_>, inner: &Inner, mut service: S, request: impl Fn() -> Request)
where
    S: Service<Request, Response = Reply>,
    S::Error: Into<StdError>,
{
    let unasked = Arc::clone(&inner.unasked);
    for call in 1..=2 {
        let _ = answer(rule, &mut service, request()).await;
        rule.holds(
            unasked.load(Ordering::SeqCst) == 0,
            "the instance that is called is the one whose poll_ready said ready",
            format_args!("call {call} went to one that was never asked"),
        );
    }
}

/// A call of this method, without a message.
pub fn request(path: &str) -> Request {
    let request = http::Request::post(format!("http://localhost{path}"));
    request.body(Body::empty()).expect("a path of the test's own")
}

/// A reply of these frames, or of a failure among them.
pub fn reply(frames: Vec<Result<Frame, Status>>) -> Reply {
    http::Response::new(Body::new(StreamBody::new(tokio_stream::iter(frames))))
}

/// A message on the wire.
pub fn message(length: u32) -> Vec<u8> {
    let payload = vec![b'm'; length as usize];
    [&[0][..], &length.to_be_bytes(), &payload].concat()
}

/// A frame with a message.
pub fn data(length: u32) -> Result<Frame, Status> {
    Ok(Frame::data(message(length).into()))
}

/// Trailers with this status, and a word of the handler's.
pub fn trailers(code: Code) -> Result<Frame, Status> {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", http::HeaderValue::from(code as i32));
    trailers.insert("x-word", http::HeaderValue::from_static("of the handler"));
    Ok(Frame::trailers(trailers))
}

/// A reply that is well: one message, then OK.
pub fn well() -> Reply {
    reply(vec![data(3), trailers(Code::Ok)])
}
