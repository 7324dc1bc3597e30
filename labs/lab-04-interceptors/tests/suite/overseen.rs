// A service of which a test knows when nothing is left of a call. A record that has not been written by then never
// will be, and nobody needs to wait for it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{Status, body::Body, codegen::Bytes};
use tower::Service;

/// What is done when a call is over.
#[derive(Clone)]
pub struct Over(Arc<dyn Fn() + Send + Sync>);

impl Over {
    pub fn new(tell: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

/// Passes everything on, and says when the service within has lost the last that it held of a call.
#[derive(Clone)]
pub struct Overseen<S> {
    inner: S,
    over: Over,
}

impl<S> Overseen<S> {
    pub fn new(inner: S, over: Over) -> Self {
        Self { inner, over }
    }
}

impl<S> Service<http::Request<Body>> for Overseen<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Calling<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let call = Box::pin(self.inner.call(request));
        Calling { call, tells: Some(Tells(self.over.clone())) }
    }
}

/// Says so when it is dropped.
struct Tells(Over);

impl Drop for Tells {
    fn drop(&mut self) {
        (self.0.0)();
    }
}

/// Fields are dropped in their order: first what may write a record, then what says that there is no more to come.
pub struct Calling<F> {
    call: Pin<Box<F>>,
    tells: Option<Tells>,
}

impl<F, E> Future for Calling<F>
where
    F: Future<Output = Result<http::Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answered = self.call.as_mut().poll(context);
        answered.map_ok(|reply| {
            let tells = self.tells.take();
            reply.map(|body| Body::new(Replying { body, _tells: tells }))
        })
    }
}

struct Replying {
    body: Body,
    _tells: Option<Tells>,
}

impl http_body::Body for Replying {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
