// A health client that speaks in the words of the protocol, and small waits.

use lab_01_health_check::{HealthService, ServingStatus, StatusBoard};
use proto::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, health_client::HealthClient,
    health_server::HealthServer,
};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};
use testkit::{
    Rule, Trial,
    grpc::{self, Server, Wire},
};
use tonic::{Status, Streaming, service::Routes};

/// The services that the tests speak of.
pub const ORDERS: &str = "shop.v1.Orders";
pub const USERS: &str = "users.v1.UserService";

/// A client of the health calls, over one connection.
#[derive(Clone)]
pub struct Prober {
    client: HealthClient<Wire>,
}

/// A board behind the health calls on a port of its own, and a client.
pub async fn serve_board(trial: &Trial, board: &StatusBoard) -> (Server, Prober) {
    let server = grpc::serve(health_routes(board)).await;
    let prober = connect(trial, server.addr()).await;
    (server, prober)
}

/// The health calls over a board, and nothing else.
pub fn health_routes(board: &StatusBoard) -> Routes {
    Routes::new(HealthServer::new(HealthService::new(board.clone())))
}

/// A new connection to a server that accepts connections.
pub async fn connect(trial: &Trial, addr: SocketAddr) -> Prober {
    let rule = trial.rule("The server takes new connections");
    match rule.within("a connection", grpc::connect(trial.history(), addr)).await {
        Ok(wire) => Prober { client: HealthClient::new(wire) },
        Err(error) => rule.broken("a connection", format_args!("no connection: {error}")),
    }
}

impl Prober {
    /// Check: a status such as `SERVING`, or the code of the failure such as `NOT_FOUND`.
    pub async fn check(&mut self, rule: &Rule<'_>, service: &str) -> String {
        let request = HealthCheckRequest { service: service.to_owned() };
        match rule.within("an answer to Check", self.client.check(request)).await {
            Ok(response) => status_name(response.get_ref()),
            Err(status) => failure(&status),
        }
    }

    /// Check must answer this.
    pub async fn reads(&mut self, rule: &Rule<'_>, service: &str, expected: &str) {
        let seen = self.check(rule, service).await;
        let as_expected = seen == expected || seen.starts_with(&format!("{expected}: "));
        rule.holds(as_expected, format_args!("Check of {service:?} answers {expected}"), &seen);
    }

    /// List: the statuses by name, or the failure.
    pub async fn list(&mut self, rule: &Rule<'_>) -> Result<BTreeMap<String, String>, String> {
        match rule.within("an answer to List", self.client.list(HealthListRequest {})).await {
            Ok(response) => {
                let statuses = response.into_inner().statuses.into_iter();
                Ok(statuses.map(|(name, response)| (name, status_name(&response))).collect())
            }
            Err(status) => Err(failure(&status)),
        }
    }

    /// Watch. A call that fails at once is one whose first message is missing.
    pub async fn watch(&mut self, rule: &Rule<'_>, service: &str) -> Watching {
        let request = HealthCheckRequest { service: service.to_owned() };
        let call = rule.within("Watch is accepted", self.client.watch(request)).await;
        Watching { service: service.to_owned(), call: call.map(tonic::Response::into_inner) }
    }
}

/// An open Watch.
pub struct Watching {
    service: String,
    call: Result<Streaming<HealthCheckResponse>, Status>,
}

impl Watching {
    /// The next message must be this status.
    pub async fn reads(&mut self, rule: &Rule<'_>, expected: &str) {
        let expected_words = format!("the Watch of {:?} says {expected}", self.service);
        let seen = self.next(rule, &expected_words).await;
        rule.holds(seen == expected, expected_words, &seen);
    }

    /// This status must come, whatever comes before it. No status may come twice in a row.
    pub async fn reaches(&mut self, rule: &Rule<'_>, from: &str, expected: &str) {
        let expected_words = format!("the Watch of {:?} comes to say {expected}", self.service);
        let mut last = from.to_owned();
        while last != expected {
            let seen = self.next(rule, &expected_words).await;
            rule.holds(!seen.starts_with("the call"), &expected_words, &seen);
            rule.holds(
                seen != last,
                "a message only when the status differs from the last one sent",
                format_args!("{seen} twice in a row"),
            );
            last = seen;
        }
    }

    /// The call must end with OK, without a further message.
    pub async fn ends(&mut self, rule: &Rule<'_>) {
        let expected = format!("the Watch of {:?} ends with OK", self.service);
        let seen = self.next(rule, &expected).await;
        rule.holds(seen == ENDED_WELL, expected, &seen);
    }

    /// The next message's status, or how the call ended.
    async fn next(&mut self, rule: &Rule<'_>, expected: &str) -> String {
        match &mut self.call {
            Ok(stream) => match rule.within(expected, stream.message()).await {
                Ok(Some(response)) => status_name(&response),
                Ok(None) => ENDED_WELL.to_owned(),
                Err(status) => format!("the call ended with {}", failure(&status)),
            },
            Err(status) => format!("the call ended with {}", failure(status)),
        }
    }
}

const ENDED_WELL: &str = "the call ended with OK";

fn status_name(response: &HealthCheckResponse) -> String {
    match ServingStatus::try_from(response.status) {
        Ok(status) => status.as_str_name().to_owned(),
        Err(_) => format!("the number {}, which is no status", response.status),
    }
}

fn failure(status: &Status) -> String {
    format!("{}: {}", grpc::name(status.code()), status.message())
}

/// A duration for a reader: whole milliseconds, in seconds when there are many. Rounded down, so that a time that
/// was too short does not read as if it had been long enough.
pub fn in_words(time: Duration) -> String {
    match u32::try_from(time.as_millis()) {
        Ok(ms @ 1..1000) => format!("{ms} ms"),
        Ok(ms) => format!("{} s", f64::from(ms) / 1000.0),
        Err(_) => format!("{} s", time.as_secs()),
    }
}

/// Waits until something that can only be asked for is so.
pub async fn eventually(rule: &Rule<'_>, expected: &str, mut so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !so().await {
            // Between two questions, not instead of one: the wait ends with the answer.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    rule.within(expected, asking).await;
}

/// How many tasks the runtime of this test has now.
pub fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}
