//! A client that waits for nothing without a limit, and does not mix up *no* with *I do not know*.

use crate::{NewUser, User, pb::user_service_client::UserServiceClient};
// stub: drop
use crate::pb::{CreateUserRequest, GetUserRequest, ListUsersRequest};
// stub: end
use std::time::Duration;
use tonic::{Status, transport::Channel};
// stub: drop
use tonic::{Code, Request, transport::Endpoint};
// stub: end

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
        // stub: todo!("step 4: connect now, and not for longer than limits.connect")
        let endpoint = Endpoint::from_shared(uri.into())?.connect_timeout(limits.connect);
        Ok(Self { inner: UserServiceClient::new(endpoint.connect().await?), limits })
        // stub: end
    }

    /// The user with this id. `Ok(None)` says that the server has looked, and that nobody has the id: NOT_FOUND.
    ///
    /// # Errors
    /// Whenever it is not known whether somebody has it: the status of any other failure. So too when the server
    /// answers OK and the answer has no user: then the code is INTERNAL, for the server has broken the contract.
    pub async fn get(&self, id: &str) -> Result<Option<User>, Status> {
        // stub: todo!("step 4: absent is Ok(None), failed is Err, and neither is ever the other")
        let request = self.limited(GetUserRequest { id: id.to_owned() });
        match self.inner.clone().get_user(request).await {
            Ok(response) => told(response.into_inner().user).map(Some),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
        // stub: end
    }

    /// One page of users. The numbers mean what the contract says.
    ///
    /// # Errors
    /// The status of any failure.
    pub async fn list(&self, page: i32, page_size: i32) -> Result<Page, Status> {
        // stub: todo!("step 4: one page, under the same limit")
        let request = self.limited(ListUsersRequest { page, page_size });
        let answer = self.inner.clone().list_users(request).await?.into_inner();
        Ok(Page { users: answer.users.into_iter().map(Into::into).collect(), total: answer.total })
        // stub: end
    }

    /// Makes somebody a user.
    ///
    /// # Errors
    /// The status of any failure. When the server refuses the request, the details of the status say why, field by
    /// field. When the server answers OK and the answer has no user, the code is INTERNAL.
    pub async fn create(&self, new: NewUser) -> Result<User, Status> {
        // stub: todo!("step 4: a new user, under the same limit")
        let NewUser { name, email, phone } = new;
        let request = self.limited(CreateUserRequest { name, email, phone });
        told(self.inner.clone().create_user(request).await?.into_inner().user)
        // stub: end
    }
    // stub: drop

    /// A request that says how long its caller waits. tonic itself ends a call when that time is over.
    fn limited<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.limits.call);
        request
    }
    // stub: end
}
// stub: drop

/// A field that the contract does not call optional may still be missing: on the wire every field may.
fn told(user: Option<crate::pb::User>) -> Result<User, Status> {
    user.map(Into::into).ok_or_else(|| Status::internal("the server's answer has no user"))
}
// stub: end
