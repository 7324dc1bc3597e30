//! The calls of the contract, answered from a store.

use crate::{
    Store,
    pb::{
        CreateUserRequest, CreateUserResponse, GetUserRequest, GetUserResponse, ListUsersRequest,
        ListUsersResponse, user_service_server::UserService,
    },
};
use std::sync::Arc;
use tonic::{Request, Response, Status};

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
        todo!("step 1: check the id, ask the store, and give each outcome its code")
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
        todo!("step 2: the users in the page's window, and how many there are in all")
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
        todo!("step 3: refuse what breaks a rule with all violations at once, then add")
    }
}
