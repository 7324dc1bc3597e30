// A client of your server. It is not made from your contract: it says what a client of any language would say.

use crate::{
    messages::this_year::{
        CreateUserRequest, GetUserRequest, ListUsersRequest, ListUsersResponse, User, UserResponse,
    },
    shelf::{SECRETS, Shelf},
};
use lab_00_user_service::{FILE_DESCRIPTOR_SET, routes};
use prost::Message;
use std::sync::Arc;
use testkit::{
    Rule, Trial,
    grpc::{self, Server, Wire},
};
use tonic::{Code, Request, Status, client::Grpc, codegen::http::uri::PathAndQuery};
use tonic_prost::ProstCodec;

/// A server over a store, and somebody who calls it.
pub struct Caller {
    grpc: Grpc<Wire>,
    _server: Server,
}

/// Your server on a port of its own, answering from this store.
pub async fn serve(trial: &Trial, store: &Arc<Shelf>) -> Caller {
    let server = grpc::serve(routes(store.clone())).await;
    let rule = trial.rule("The server takes connections");
    let wire = grpc::connect_with(trial.history(), server.addr(), FILE_DESCRIPTOR_SET);
    match rule.within("a connection", wire).await {
        Ok(wire) => Caller { grpc: Grpc::new(wire), _server: server },
        Err(error) => rule.broken("a connection", format_args!("no connection: {error}")),
    }
}

impl Caller {
    /// GetUser. An answer without a user is none.
    pub async fn get(&mut self, rule: &Rule<'_>, id: &str) -> Result<User, Status> {
        let request = GetUserRequest { id: id.to_owned() };
        let answer = self.call::<_, UserResponse>(rule, "GetUser", request).await?;
        Ok(with_user(rule, "GetUser", answer))
    }

    /// ListUsers.
    pub async fn list(
        &mut self,
        rule: &Rule<'_>,
        page: i32,
        page_size: i32,
    ) -> Result<ListUsersResponse, Status> {
        self.call(rule, "ListUsers", ListUsersRequest { page, page_size }).await
    }

    /// CreateUser. An answer without a user is none.
    pub async fn create(&mut self, rule: &Rule<'_>, request: CreateUserRequest) -> Result<User, Status> {
        let answer = self.call::<_, UserResponse>(rule, "CreateUser", request).await?;
        Ok(with_user(rule, "CreateUser", answer))
    }

    async fn call<Q, A>(&mut self, rule: &Rule<'_>, method: &str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = format!("/shop.users.v1.UserService/{method}");
        let path = PathAndQuery::try_from(path).expect("a path");
        let call = async {
            let ready = self.grpc.ready().await;
            ready.map_err(|error| Status::unavailable(format!("the connection is gone: {error}")))?;
            self.grpc.unary(Request::new(request), path, ProstCodec::<Q, A>::default()).await
        };
        Ok(rule.within(format_args!("an answer to {method}"), call).await?.into_inner())
    }
}

fn with_user(rule: &Rule<'_>, method: &str, answer: UserResponse) -> User {
    let expected = format!("{method} answers with a user, or fails");
    answer.user.unwrap_or_else(|| rule.broken(expected, "OK, and no user in the answer"))
}

/// How a call ended, in a line.
pub fn outcome<T>(result: &Result<T, Status>) -> String {
    match result {
        Ok(_) => "OK".to_owned(),
        Err(status) => format!("{}: {}", grpc::name(status.code()), status.message()),
    }
}

/// A call must fail with this code.
#[track_caller]
pub fn fails<T>(rule: &Rule<'_>, what: &str, result: &Result<T, Status>, code: Code) {
    let as_expected = result.as_ref().is_err_and(|status| status.code() == code);
    rule.holds(as_expected, format_args!("{what} fails with {}", grpc::name(code)), outcome(result));
}

/// A call must succeed.
#[track_caller]
pub fn answers<T>(rule: &Rule<'_>, what: &str, result: Result<T, Status>) -> T {
    let seen = outcome(&result);
    result.unwrap_or_else(|_| rule.broken(format_args!("{what} succeeds"), seen))
}

/// A call that failed must not tell what the store said, neither in its text nor in anything that comes with it.
#[track_caller]
pub fn keeps_secrets<T>(rule: &Rule<'_>, what: &str, result: Result<T, Status>) {
    // That it must fail is a rule of its own.
    let Err(status) = result else { return };
    let mut told = status.message().as_bytes().to_vec();
    told.extend_from_slice(status.details());
    told.extend(format!("{:?}", status.metadata()).into_bytes());
    let told = String::from_utf8_lossy(&told).to_lowercase();
    let leaked = SECRETS.iter().find(|secret| told.contains(&secret.to_lowercase()));
    if let Some(secret) = leaked {
        let seen = format!("{secret:?} in the status of {what}: {}", status.message());
        rule.broken("a status without a word of what the store said", seen);
    }
}
