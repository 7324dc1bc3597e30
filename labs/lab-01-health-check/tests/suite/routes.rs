// Step 5: who needs a token.

use crate::support::{USERS, connect};
use lab_01_health_check::{Guard, ServingStatus, StatusBoard, Users, routes};
use proto::users::v1::{GetUserRequest, ListUsersRequest, user_service_client::UserServiceClient};
use testkit::{
    Passed, Rule, Trial,
    grpc::{self, Server, Wire},
};
use tonic::{Code, Request};

const SECTION: &str = "step-5-health-without-a-key";

async fn serve(board: &StatusBoard) -> Server {
    grpc::serve(routes(board.clone(), Users::new(), Guard::asking_for("s3cret"))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_needs_no_token() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Check, List and Watch answer a caller without a token");
    let board = StatusBoard::new();
    let server = serve(&board).await;
    let mut prober = connect(&trial, server.addr()).await;

    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING; the prober has no token");
    prober.reads(&rule, USERS, "NOT_SERVING").await;
    prober.watch(&rule, USERS).await.reads(&rule, "NOT_SERVING").await;
    let seen = prober.list(&rule).await.map_or_else(|failure| failure, |_| "statuses".to_owned());
    rule.holds(seen == "statuses", "List answers with statuses", &seen);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_need_the_token() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Users answer a caller who brings the token, and nobody else");
    let server = serve(&StatusBoard::new()).await;
    let connected = rule.within("a connection", grpc::connect(trial.history(), server.addr())).await;
    let Ok(wire) = connected else { rule.broken("a connection", "none") };
    let mut users = UserServiceClient::new(wire);

    get_user(&rule, &mut users, None, Code::Unauthenticated).await;
    trial.did("a wrong token is brought");
    get_user(&rule, &mut users, Some("Bearer guess"), Code::Unauthenticated).await;
    trial.did("the right token is brought");
    get_user(&rule, &mut users, Some("Bearer s3cret"), Code::Ok).await;

    let list = users.list_users(ListUsersRequest { page: 1, page_size: 1 });
    let answer = rule.within("an answer to ListUsers", list).await;
    let seen = answer.map_or_else(|status| status.code(), |_| Code::Ok);
    let refused = "ListUsers with no token ends with UNAUTHENTICATED";
    rule.holds(seen == Code::Unauthenticated, refused, grpc::name(seen));
    trial.passed()
}

async fn get_user(
    rule: &Rule<'_>,
    users: &mut UserServiceClient<Wire>,
    token: Option<&'static str>,
    expected: Code,
) {
    let mut request = Request::new(GetUserRequest { id: "u1".into() });
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token.parse().expect("a header of plain letters"));
    }
    let answer = rule.within("an answer to GetUser", users.get_user(request)).await;
    let seen = answer.map_or_else(|status| status.code(), |_| Code::Ok);
    rule.holds(
        seen == expected,
        format_args!("GetUser with {} ends with {}", token.unwrap_or("no token"), grpc::name(expected)),
        grpc::name(seen),
    );
}
