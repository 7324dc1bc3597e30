//! A client that waits for nothing without a limit, and does not mix up *no* with *I do not know*.

use crate::{NewUser, User, pb::user_service_client::UserServiceClient};
use std::time::Duration;
use tonic::{Status, transport::Channel};

/// The longest waits of a [`UserClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For each call, counted from its own beginning.
    pub call: Duration,
}

/// One page of users, as [`UserClient::list`] got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The users on this page.
    pub users: Vec<User>,
    /// Users on all pages together, as the server has counted them.
    pub total: i64,
}

/// Why there is no connection. `?` makes one of any error.
pub type ConnectError = Box<dyn std::error::Error + Send + Sync>;

/// A client of `shop.users.v1.UserService`. Clones share one connection.
///
/// - Each call carries its limit to the server, in the header `grpc-timeout`, and ends with an error when the limit is
///   over and the server has not answered.
/// - Each call is made once. Whoever wants to try again knows best whether that is safe.
/// - A call that fails gives the status as the server sent it: with its code, its text and its details.
#[derive(Clone, Debug)]
pub struct UserClient {
    /// A clone of it costs next to nothing and makes calls over the same connection.
    inner: UserServiceClient<Channel>,
    limits: Limits,
}

impl UserClient {
    /// Connects to a server, such as `http://127.0.0.1:50051`. When this returns, there is a connection.
    ///
    /// # Errors
    /// When the address is none, when nobody listens there, or when nobody has answered within `limits.connect`.
    pub async fn connect(uri: impl Into<String>, limits: Limits) -> Result<Self, ConnectError> {
        todo!("step 4: connect now, and not for longer than limits.connect")
    }

    /// The user with this id. `Ok(None)` says that the server has looked, and that nobody has the id: NOT_FOUND.
    ///
    /// # Errors
    /// Whenever it is not known whether somebody has it: the status of any other failure. So too when the server
    /// answers OK and the answer has no user: then the code is INTERNAL, for the server has broken the contract.
    pub async fn get(&self, id: &str) -> Result<Option<User>, Status> {
        todo!("step 4: absent is Ok(None), failed is Err, and neither is ever the other")
    }

    /// One page of users. The numbers mean what the contract says.
    ///
    /// # Errors
    /// The status of any failure.
    pub async fn list(&self, page: i32, page_size: i32) -> Result<Page, Status> {
        todo!("step 4: one page, under the same limit")
    }

    /// Makes somebody a user.
    ///
    /// # Errors
    /// The status of any failure. When the server refuses the request, the details of the status say why, field by
    /// field. When the server answers OK and the answer has no user, the code is INTERNAL.
    pub async fn create(&self, new: NewUser) -> Result<User, Status> {
        todo!("step 4: a new user, under the same limit")
    }
}
