//! What a handler knows of its call, and what travels on with the calls that it makes.

use crate::{DryRun, RequestId};
use tonic::{Request, Status};

/// What of a call holds for the calls that it causes as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The id of the request.
    pub request_id: RequestId,
    /// Whether it only tries.
    pub dry_run: DryRun,
}

impl Context {
    /// What the layers before a handler have left in the extensions of its request.
    ///
    /// # Errors
    /// INTERNAL when something is missing. A call of which nobody knows whether it only tries must not go on.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let missing = || Status::internal("a layer is missing before this service");
        let request_id = request.extensions().get().cloned().ok_or_else(missing)?;
        let dry_run = request.extensions().get().copied().ok_or_else(missing)?;
        Ok(Self { request_id, dry_run })
    }

    /// A request to another server on behalf of this call: the message, with the id and the dry run in its extensions,
    /// where the layers of [`outbound`](crate::outbound) find them.
    ///
    /// Nothing else goes along. The caller's token was meant for this server, and the next one has no business with it.
    pub fn onward<T>(&self, message: T) -> Request<T> {
        todo!("step 4: a request with two extensions")
    }
}
