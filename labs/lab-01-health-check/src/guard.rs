//! Asks callers for a token. Given, and complete.

use std::sync::Arc;
use tonic::{Request, Status, service::Interceptor};

/// Lets a call through when it brings the right token as `authorization: Bearer TOKEN`, otherwise fails it
/// with UNAUTHENTICATED. Put it before a service with `…Server::with_interceptor(service, guard)`.
#[derive(Clone)]
pub struct Guard {
    /// The whole header that is asked for; `None` lets everyone through.
    header: Option<Arc<str>>,
}

impl Guard {
    /// Asks for this token.
    pub fn asking_for(token: &str) -> Self {
        Self { header: Some(format!("Bearer {token}").into()) }
    }

    /// Lets everyone through.
    pub fn open() -> Self {
        Self { header: None }
    }
}

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(header) = &self.header else { return Ok(request) };
        match request.metadata().get("authorization") {
            Some(brought) if same(brought.as_bytes(), header.as_bytes()) => Ok(request),
            _ => Err(Status::unauthenticated("a bearer token is needed")),
        }
    }
}

/// Compares in a time that does not tell how much of a guess was right.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
