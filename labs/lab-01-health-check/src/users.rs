//! Something to be healthy for: a few users, kept in memory. Given, and complete.

use proto::users::v1::{
    GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, User,
    user_service_server::UserService,
};
use std::{collections::BTreeMap, sync::Arc};
use tonic::{Request, Response, Status};

/// Users in a page when the request does not say.
const DEFAULT_PAGE_SIZE: usize = 20;
/// The most users in a page, whatever the request says.
const MAX_PAGE_SIZE: usize = 100;

/// `users.v1.UserService` over a map. It never changes.
#[derive(Clone, Debug)]
pub struct Users {
    by_id: Arc<BTreeMap<String, User>>,
}

impl Users {
    /// The full name of the service, as the health board knows it.
    pub const SERVICE: &str = "users.v1.UserService";

    /// Three users: `u1` Ada, `u2` Grace and `u3` Edsger.
    pub fn new() -> Self {
        let users = [("u1", "Ada"), ("u2", "Grace"), ("u3", "Edsger")].map(|(id, name)| {
            let email = format!("{}@example.com", name.to_lowercase());
            (id.to_owned(), User { id: id.to_owned(), name: name.to_owned(), email })
        });
        Self { by_id: Arc::new(users.into()) }
    }
}

impl Default for Users {
    fn default() -> Self {
        Self::new()
    }
}

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        let id = request.into_inner().id;
        if id.is_empty() {
            return Err(Status::invalid_argument("an id is needed"));
        }
        match self.by_id.get(&id) {
            Some(user) => Ok(Response::new(GetUserResponse { user: Some(user.clone()) })),
            None => Err(Status::not_found(format!("no user {id:?}"))),
        }
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        let ListUsersRequest { page, page_size } = request.into_inner();
        let (Ok(page), Ok(page_size)) = (usize::try_from(page), usize::try_from(page_size)) else {
            return Err(Status::invalid_argument("page and page_size are not negative"));
        };
        let page_size = if page_size == 0 { DEFAULT_PAGE_SIZE } else { page_size.min(MAX_PAGE_SIZE) };
        let skipped = page.saturating_sub(1).saturating_mul(page_size);
        let users = self.by_id.values().skip(skipped).take(page_size).cloned().collect();
        let total = i32::try_from(self.by_id.len()).unwrap_or(i32::MAX);
        Ok(Response::new(ListUsersResponse { users, total }))
    }
}
