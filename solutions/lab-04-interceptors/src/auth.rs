//! Who is calling, and may they?

// stub: drop
use http::{HeaderMap, header::AUTHORIZATION};
// stub: end
use std::{
    collections::BTreeSet,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
// stub: drop
use subtle::{Choice, ConstantTimeEq as _};
use tonic::Status;
// stub: end
use tonic::{
    body::Body,
    codegen::{Bytes, StdError},
};
use tower::{Layer, Service};

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// See what is in the ledger.
    Read,
    /// Put something into it.
    Write,
}

/// The right that a method takes, by its path. `None`: nobody has said, so nobody has it.
pub fn right_for(path: &str) -> Option<Right> {
    match path.strip_prefix("/ledger.v1.Ledger/")? {
        "Statement" => Some(Right::Read),
        "Post" | "Import" | "Exchange" => Some(Right::Write),
        _ => None,
    }
}

/// Somebody whom this server knows. It holds no secret, so it may travel and be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    name: Arc<str>,
    rights: Arc<BTreeSet<Right>>,
}

impl Caller {
    /// A caller of this name, with these rights.
    pub fn new(name: &str, rights: &[Right]) -> Self {
        Self { name: name.into(), rights: Arc::new(rights.iter().copied().collect()) }
    }

    /// The name, fit for a log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether they have this right.
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }
}

/// Everybody whom this server knows, each by a secret token. Clones share one list.
#[derive(Clone, Default)]
pub struct Callers {
    known: Arc<Vec<(Box<[u8]>, Caller)>>,
}

impl Callers {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a caller who brings this token.
    ///
    /// # Panics
    /// When the token is empty: everybody has that.
    #[must_use]
    pub fn with(mut self, token: &str, caller: Caller) -> Self {
        assert!(!token.is_empty(), "the token of {} is empty", caller.name());
        Arc::make_mut(&mut self.known).push((token.as_bytes().into(), caller));
        self
    }

    /// Whose token this is: all of it, byte for byte.
    ///
    /// How long it takes must not tell how much of a guess was right: an attacker who learns that the first byte is
    /// right has 256 guesses to make for the next one, instead of all of them. `==` stops at the first difference, and
    /// so does a search that stops at the first match. The *length* of a token may show: it is no secret.
    pub fn find(&self, token: &[u8]) -> Option<&Caller> {
        // stub: todo!("step 3: compare with every token, in a time that does not tell how much was right")
        let mut found = None;
        for (known, caller) in self.known.iter() {
            let same: Choice = known.ct_eq(token);
            if same.into() {
                found = Some(caller);
            }
        }
        found
        // stub: end
    }
}

/// The names alone: whatever prints this must not print a secret.
impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.known.iter().map(|(_, caller)| caller.name())).finish()
    }
}

/// Lets a call through when its caller is known and has the right to make it.
///
/// # Who is calling
///
/// The metadata `authorization` holds `Bearer`, one space, and the token. `Bearer` may be in capitals or not, as in HTTP
/// (RFC 9110, section 11.1). There is exactly one such value. A call without it, with another scheme, with two of
/// them or with a token that nobody has fails with UNAUTHENTICATED: *we do not know you*.
///
/// HTTP allows more spaces than one between the two (RFC 9110, section 11.4), and spaces behind the token are no part of
/// a header's value. Whether you take a token with such spaces around it is left to you.
///
/// # What they may
///
/// [`right_for`] the path of the request's URI. A known caller without that right fails with PERMISSION_DENIED: *we know
/// you, and no*. So does everybody at a method of which `right_for` says nothing.
///
/// # What it leaves behind
///
/// - The [`Caller`] in the extensions of a request that passes, for the handler.
/// - The [`Caller`] in the extensions of the reply, for an access log further out: as soon as the caller is known, so
///   with PERMISSION_DENIED too.
/// - No token, nowhere: not in the text of a status, not in what is printed.
///
/// A refusal is a reply, not an error: HTTP status 200 and `grpc-status` in the headers ([`Status::into_http`] makes
/// it). The service within is not called then. Otherwise its reply passes as it is, and so does its error.
///
/// [`Status::into_http`]: tonic::Status::into_http
#[derive(Clone, Debug)]
pub struct AuthLayer {
    callers: Callers,
}

impl AuthLayer {
    /// These are known.
    pub fn new(callers: Callers) -> Self {
        Self { callers }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Auth { inner, callers: self.callers.clone() }
    }
}

/// A service behind an [`AuthLayer`].
#[derive(Clone, Debug)]
pub struct Auth<S> {
    inner: S,
    callers: Callers,
}

impl<S, B> Service<http::Request<Body>> for Auth<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError>,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // stub: todo!("step 3: ready when the service within is")
        self.inner.poll_ready(context)
        // stub: end
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // stub: todo!("step 3: find out who calls, whether they may, and only then call")
        let caller = token(request.headers()).and_then(|token| self.callers.find(token)).cloned();
        let Some(caller) = caller else {
            let refusal = Status::unauthenticated("a bearer token of somebody known is needed").into_http();
            return Box::pin(std::future::ready(Ok(refusal)));
        };
        if !right_for(request.uri().path()).is_some_and(|right| caller.may(right)) {
            let mut refusal = Status::permission_denied("you may not call this").into_http();
            refusal.extensions_mut().insert(caller);
            return Box::pin(std::future::ready(Ok(refusal)));
        }
        request.extensions_mut().insert(caller.clone());
        // Called here and not in the future, so it is the very instance that was polled ready.
        let reply = self.inner.call(request);
        Box::pin(async move {
            let mut reply = reply.await?.map(Body::new);
            reply.extensions_mut().insert(caller);
            Ok(reply)
        })
        // stub: end
    }
}
// stub: drop

/// What stands behind `Bearer`, if there is exactly one such header.
fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = only.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
// stub: end
