//! The calls of the contract, answered from a store.

use crate::{
    Store,
    pb::{
        CreateUserRequest, CreateUserResponse, GetUserRequest, GetUserResponse, ListUsersRequest,
        ListUsersResponse, user_service_server::UserService,
    },
};
// stub: drop
use crate::{Added, StoreError, page, validate};
// stub: end
use std::sync::Arc;
use tonic::{Request, Response, Status};
// stub: drop
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt as _};
// stub: end

/// `shop.users.v1.UserService` over a [`Store`].
///
/// What is wrong with a request is found before the store is asked: INVALID_ARGUMENT does not depend on how the store
/// is. Any failure of the store is INTERNAL, and nothing of its text is told to the caller.
#[derive(Clone)]
pub struct Users {
    store: Arc<dyn Store>,
}

impl Users {
    /// The calls answer from this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl UserService for Users {
    /// One user by id.
    ///
    /// # Errors
    /// - INVALID_ARGUMENT when the id is malformed,
    /// - NOT_FOUND when nobody has it,
    /// - INTERNAL when the store fails.
    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        // stub: todo!("step 1: check the id, ask the store, and give each outcome its code")
        let id = request.into_inner().id;
        if !validate::is_id(&id) {
            let rule = "an id has 1 to 36 characters: lower-case letters from a to z, digits, hyphens";
            return Err(Status::invalid_argument(rule));
        }
        match self.store.get(&id).await.map_err(store_failed)? {
            Some(user) => Ok(Response::new(GetUserResponse { user: Some(user.into()) })),
            None => Err(Status::not_found(format!("nobody has the id {id:?}"))),
        }
        // stub: end
    }

    /// One page of users in the order of their ids, and the number of users on all pages together. A page past the end
    /// is empty.
    ///
    /// The store is never asked for more users than the page can have.
    ///
    /// # Errors
    /// - INVALID_ARGUMENT when a number is negative,
    /// - INTERNAL when the store fails.
    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        // stub: todo!("step 2: the users in the page's window, and how many there are in all")
        let ListUsersRequest { page, page_size } = request.into_inner();
        let window = page::window(page, page_size)?;
        let users = self.store.slice(window.skip, window.take).await.map_err(store_failed)?;
        let total = self.store.count().await.map_err(store_failed)?;
        Ok(Response::new(ListUsersResponse {
            users: users.into_iter().map(Into::into).collect(),
            total: i64::try_from(total).unwrap_or(i64::MAX),
        }))
        // stub: end
    }

    /// Makes somebody a user and answers with the user as the store keeps it.
    ///
    /// # Errors
    /// - INVALID_ARGUMENT when the request breaks rules. Its details have a `google.rpc.BadRequest` with a violation
    ///   for *each* field that breaks one, and nothing was kept.
    /// - ALREADY_EXISTS when another user has the e-mail address,
    /// - INTERNAL when the store fails.
    async fn create_user(
        &self,
        request: Request<CreateUserRequest>,
    ) -> Result<Response<CreateUserResponse>, Status> {
        // stub: todo!("step 3: refuse what breaks a rule with all violations at once, then add")
        let new = validate::new_user(request.into_inner()).map_err(|violations| {
            let details = ErrorDetails::with_bad_request(violations);
            Status::with_error_details(Code::InvalidArgument, "the request breaks rules", details)
        })?;
        match self.store.add(new).await.map_err(store_failed)? {
            Added::User(user) => Ok(Response::new(CreateUserResponse { user: Some(user.into()) })),
            Added::EmailTaken => Err(Status::already_exists("another user has this e-mail address")),
        }
        // stub: end
    }
}
// stub: drop

/// The whole story goes to whoever runs the server. The caller could do nothing with it, and may be anybody.
fn store_failed(error: StoreError) -> Status {
    eprintln!("the store failed: {error}");
    Status::internal("the users cannot be reached")
}
// stub: end
