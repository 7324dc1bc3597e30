//! Every call has an id: the caller's, or one that is made here.

// stub: drop
use http::HeaderMap;
// stub: end
use http::HeaderValue;
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{Layer, Service};

/// The name of the metadata that carries it. Names that begin with `grpc-` are reserved for gRPC itself
/// (PROTOCOL-HTTP2.md), so ours must not.
pub const REQUEST_ID: &str = "x-request-id";

/// Finds the log lines of one call on every server that it passes.
///
/// It is 1 to 64 characters long, each of them a letter or a digit of ASCII, or one of `-`, `_` and `.`. Nothing else
/// may come from a stranger's header into a log, where a space or an equals sign would make fields of its own.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The longest id in characters.
    pub const MAX_LEN: usize = 64;

    /// An id as somebody sent it, or `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        // stub: todo!("step 1: check length and characters")
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let sound = (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(allowed);
        sound.then(|| Self(text.into()))
        // stub: end
    }

    /// A new id: 32 hexadecimal digits from a random number. It is unique, not secret.
    pub fn generate() -> Self {
        Self(format!("{:032x}", fastrand::u128(..)).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as metadata.
    pub fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("letters, digits and three marks are fit for a header")
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives an id to every request. It serves a server and a client alike.
///
/// # Which id
///
/// The first of these that there is:
///
/// 1. a [`RequestId`] in the request's extensions: code of this process has put it there, which is how a handler hands
///    its own call's id to the calls that it makes;
/// 2. the metadata [`REQUEST_ID`], if there is exactly one and [`RequestId::parse`] takes it;
/// 3. a new one.
///
/// # Where it goes
///
/// - into the request's extensions, for what comes further in;
/// - into the request's metadata, as the only value of its name, for the server at the other end;
/// - into the metadata of the reply, as the only value of its name, whatever the reply is: a refusal too.
///
/// An error of the service within is passed on as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestIdLayer;

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestIds<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestIds { inner }
    }
}

/// A service behind a [`RequestIdLayer`].
#[derive(Clone, Debug)]
pub struct RequestIds<S> {
    inner: S,
}

impl<S, A, B> Service<http::Request<A>> for RequestIds<S>
where
    S: Service<http::Request<A>, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    A: Send + 'static,
    B: Send + 'static,
{
    type Response = http::Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // stub: todo!("step 1: ready when the service within is")
        self.inner.poll_ready(context)
        // stub: end
    }

    fn call(&mut self, mut request: http::Request<A>) -> Self::Future {
        // stub: todo!("step 1: find or make the id, put it where it belongs, call, put it on the reply")
        let id = request.extensions().get().cloned();
        let id = id.or_else(|| sent(request.headers())).unwrap_or_else(RequestId::generate);
        let header = id.to_header();
        request.headers_mut().insert(REQUEST_ID, header.clone());
        request.extensions_mut().insert(id);
        // Called here and not in the future, so it is the very instance that was polled ready.
        let reply = self.inner.call(request);
        Box::pin(async move {
            let mut reply = reply.await?;
            reply.headers_mut().insert(REQUEST_ID, header);
            Ok(reply)
        })
        // stub: end
    }
}
// stub: drop

/// The caller's id. Two of them are as good as none: nobody could say which one the other logs have.
fn sent(headers: &HeaderMap) -> Option<RequestId> {
    let mut values = headers.get_all(REQUEST_ID).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    RequestId::parse(only.to_str().ok()?)
}
// stub: end
