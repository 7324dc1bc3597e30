// Step 4: what the client makes of answers.

use crate::{
    caller::outcome,
    messages::this_year::{
        CreateUserRequest, GetUserRequest, ListUsersRequest, ListUsersResponse, User as Message, UserResponse,
    },
    scripted::{Answer, Scripted},
};
use lab_00_user_service::{Limits, NewUser, Page, User, UserClient};
use prost::Message as _;
use std::time::Duration;
use testkit::{Passed, Rule, Trial, grpc};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

const SECTION: &str = "step-4-the-client";

/// Longer than any test.
pub const FOR_EVER: Limits = Limits { connect: Duration::from_secs(3600), call: Duration::from_secs(3600) };

/// Your client, connected to a server of the suite.
pub async fn connect(rule: &Rule<'_>, server: &Scripted, limits: Limits) -> UserClient {
    let connected = rule.within("connect returns", UserClient::connect(server.uri.clone(), limits)).await;
    connected.unwrap_or_else(|error| rule.broken("a connection", format_args!("no connection: {error}")))
}

/// Somebody to create.
pub fn barbara() -> NewUser {
    NewUser { name: "Barbara".to_owned(), email: "barbara@example.com".to_owned(), phone: None }
}

/// As a server tells it.
fn message(number: usize) -> Message {
    Message {
        id: format!("u{number}"),
        name: format!("N{number}"),
        email: format!("n{number}@e"),
        ..Message::default()
    }
}

fn seen(user: &User) -> String {
    format!("{} {} {}", user.id, user.name, user.email)
}

/// What GetUser came to, in a line.
fn told(result: &Result<Option<User>, Status>) -> String {
    match result {
        Ok(Some(user)) => format!("Ok(Some({}))", seen(user)),
        Ok(None) => "Ok(None)".to_owned(),
        Err(status) => format!("Err({})", outcome::<()>(&Err(status.clone()))),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_is_read() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("get asks for the id that it is given, and gives the user that the server tells");
    let server = Scripted::start(&trial, Answer::user(message(7))).await;
    let client = connect(&rule, &server, FOR_EVER).await;

    let result = rule.within("get returns", client.get("u7")).await;
    rule.holds(told(&result) == "Ok(Some(u7 N7 n7@e))", "Ok(Some(u7 N7 n7@e))", told(&result));
    let asked = GetUserRequest::decode(&*server.last(&rule, "GetUser").message);
    let asked = asked.map_or_else(|error| error.to_string(), |request| request.id);
    rule.holds(asked == "u7", "the server is asked for u7", asked);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_user_is_no_failure() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("NOT_FOUND is an answer: get gives Ok(None)");
    let server = Scripted::start(&trial, Answer::Failure(Status::not_found("nobody"))).await;
    let client = connect(&rule, &server, FOR_EVER).await;

    let result = rule.within("get returns", client.get("u9")).await;
    rule.holds(told(&result) == "Ok(None)", "Ok(None)", told(&result));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_no_absent_user() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Any failure but NOT_FOUND is an error: nobody knows whether the user is there");

    for code in [
        Code::Internal,
        Code::Unavailable,
        Code::Unknown,
        Code::InvalidArgument,
        Code::PermissionDenied,
        Code::DeadlineExceeded,
        Code::Unimplemented,
        Code::Aborted,
    ] {
        let server = Scripted::start(&trial, Answer::Failure(Status::new(code, "no"))).await;
        let client = connect(&rule, &server, FOR_EVER).await;
        let result = rule.within("get returns", client.get("u9")).await;
        let as_expected = result.as_ref().is_err_and(|status| status.code() == code);
        rule.holds(as_expected, format_args!("Err({}: no)", grpc::name(code)), told(&result));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_a_user_is_a_failure() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("OK without a user breaks the contract: it is INTERNAL, neither absent nor an empty user");
    let server = Scripted::start(&trial, Answer::message(&UserResponse { user: None })).await;
    let client = connect(&rule, &server, FOR_EVER).await;

    let result = rule.within("get returns", client.get("u9")).await;
    let internal = |code: Option<Code>| code == Some(Code::Internal);
    rule.holds(internal(result.as_ref().err().map(Status::code)), "get: Err(INTERNAL)", told(&result));
    let result = rule.within("create returns", client.create(barbara())).await;
    let told = result.as_ref().map_or_else(|_| outcome(&result), |user| format!("Ok({})", seen(user)));
    rule.holds(internal(result.as_ref().err().map(Status::code)), "create: Err(INTERNAL)", told);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_read() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("list asks for the page that it is given, and gives its users and the server's total");
    let users = [1, 2, 3].map(message).into();
    let server = Scripted::start(&trial, Answer::message(&ListUsersResponse { users, total: 45 })).await;
    let client = connect(&rule, &server, FOR_EVER).await;

    let result = rule.within("list returns", client.list(4, 3)).await;
    let told = |page: &Page| {
        let users: Vec<_> = page.users.iter().map(|user| user.id.as_str()).collect();
        format!("{}, a total of {}", users.join(" "), page.total)
    };
    let told = result.as_ref().map_or_else(|_| outcome(&result), told);
    rule.holds(told == "u1 u2 u3, a total of 45", "u1 u2 u3, a total of 45", &told);

    let asked = ListUsersRequest::decode(&*server.last(&rule, "ListUsers").message);
    let asked = asked.map_or_else(
        |error| error.to_string(),
        |asked| format!("page {}, size {}", asked.page, asked.page_size),
    );
    rule.holds(asked == "page 4, size 3", "the server is asked for page 4, size 3", &asked);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_is_sent_as_given() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("create sends what it is given, and gives the user that the server tells");
    let server = Scripted::start(&trial, Answer::user(message(4))).await;
    let client = connect(&rule, &server, FOR_EVER).await;

    for phone in [None, Some("+4930123456"), Some("")] {
        let phone = phone.map(str::to_owned);
        let new = NewUser { phone: phone.clone(), ..barbara() };
        let result = rule.within("create returns", client.create(new)).await;
        let told = result.as_ref().map_or_else(|_| outcome(&result), seen);
        rule.holds(told == "u4 N4 n4@e", "u4 N4 n4@e", &told);
        let sent = CreateUserRequest::decode(&*server.last(&rule, "CreateUser").message);
        let sent = sent.map_or_else(|error| error.to_string(), |sent| format!("{sent:?}"));
        let NewUser { name, email, .. } = barbara();
        let expected = format!("{:?}", CreateUserRequest { name, email, phone });
        rule.holds(sent == expected, &expected, &sent);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_comes_with_its_details() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A failure reaches the caller as the server sent it: code, text and details");
    let details = ErrorDetails::with_bad_request_violation("email", "is taken by a ghost");
    let refusal = Status::with_error_details(Code::InvalidArgument, "no such luck", details);
    let server = Scripted::start(&trial, Answer::Failure(refusal)).await;
    let client = connect(&rule, &server, FOR_EVER).await;

    let create = rule.within("create returns", client.create(barbara())).await.map(|_| ());
    let list = rule.within("list returns", client.list(1, 1)).await.map(|_| ());
    let get = rule.within("get returns", client.get("u1")).await.map(|_| ());
    for (method, result) in [("create", create), ("list", list), ("get", get)] {
        let said = result.as_ref().err().and_then(|status| status.get_details_bad_request());
        let said = said.map_or_else(Vec::new, |request| request.field_violations);
        let said: Vec<_> =
            said.iter().map(|violation| format!("{}: {}", violation.field, violation.description)).collect();
        let told = format!("{}, details {said:?}", outcome(&result));
        let expected = "INVALID_ARGUMENT: no such luck, details [\"email: is taken by a ghost\"]";
        rule.holds(told == expected, format_args!("{method}: {expected}"), &told);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_get_knows_an_absence() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A page and a new user cannot be absent: there NOT_FOUND is a failure like any other");
    let server = Scripted::start(&trial, Answer::Failure(Status::not_found("no such shop"))).await;
    let client = connect(&rule, &server, FOR_EVER).await;

    let list = rule.within("list returns", client.list(1, 1)).await.map(|_| ());
    let create = rule.within("create returns", client.create(barbara())).await.map(|_| ());
    for (method, result) in [("list", list), ("create", create)] {
        let expected = "NOT_FOUND: no such shop";
        rule.holds(outcome(&result) == expected, format_args!("{method}: {expected}"), outcome(&result));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_made_once() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A call that fails is not made again: who wants that must know whether it is safe");
    let server = Scripted::start(&trial, Answer::Failure(Status::unavailable("busy"))).await;
    let client = connect(&rule, &server, FOR_EVER).await;

    let failed = [
        rule.within("get returns", client.get("u1")).await.is_err(),
        rule.within("list returns", client.list(1, 1)).await.is_err(),
        rule.within("create returns", client.create(barbara())).await.is_err(),
    ];
    rule.holds(failed == [true; 3], "get, list and create fail", format_args!("failed: {failed:?}"));
    let methods: Vec<_> = server.calls().into_iter().map(|call| call.method).collect();
    let methods = methods.join(", ");
    rule.holds(methods == "GetUser, ListUsers, CreateUser", "GetUser, ListUsers, CreateUser", &methods);
    trial.passed()
}
