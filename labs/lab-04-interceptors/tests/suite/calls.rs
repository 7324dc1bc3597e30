// Clients of real connections, and the four kinds of calls.

use crate::{logbook::Logbook, scripted::post};
use lab_04_interceptors::{AccessLogLayer, RequestId, Side};
use proto::ledger::v1::{
    PostRequest, PostResponse, StatementRequest, ledger_client::LedgerClient, ledger_server::LedgerServer,
};
use testkit::{
    Rule, Trial,
    grpc::{self, Server, Wire},
};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming, body::Body, codegen::StdError};
use tower::{Layer as _, Service};

/// A ledger behind an access log, on a connection.
pub async fn logged_server(
    trial: &Trial,
    rule: &Rule<'_>,
    log: &Logbook,
    ledger: LedgerServer<crate::scripted::Scripted>,
) -> (Server, LedgerClient<Wire>) {
    let server = grpc::serve_stack(AccessLogLayer::new(Side::Server, log.sink()).layer(ledger)).await;
    let client = LedgerClient::new(connect(trial, rule, &server).await);
    (server, client)
}

/// A connection to a server.
pub async fn connect(trial: &Trial, rule: &Rule<'_>, server: &Server) -> Wire {
    match rule.within("a connection", grpc::connect(trial.history(), server.addr())).await {
        Ok(wire) => wire,
        Err(error) => rule.broken("a connection", format_args!("no connection: {error}")),
    }
}

/// A request of this id, if it is to have one that is known.
pub fn with_id<T>(rule: &Rule<'_>, id: &str, message: T) -> Request<T> {
    let Some(id) = RequestId::parse(id) else { rule.broken(format_args!("{id:?} is an id"), "it is none") };
    let mut request = Request::new(message);
    request.extensions_mut().insert(id);
    request
}

/// How a call ended, in a word or two: `OK`, or the code and the text.
pub fn outcome<T>(answer: &Result<T, Status>) -> String {
    match answer {
        Ok(_) => "OK".to_owned(),
        Err(status) => format!("{}: {}", grpc::name(status.code()), status.message()),
    }
}

/// The call must end like that.
#[track_caller]
pub fn ends<T>(rule: &Rule<'_>, expected: &str, answer: &Result<T, Status>) {
    let seen = outcome(answer);
    let so = seen == expected || seen.starts_with(&format!("{expected}: "));
    rule.holds(so, format_args!("the call ends with {expected}"), &seen);
}

/// A client over anything that carries calls.
pub struct Calls<T>(pub LedgerClient<T>);

impl<T> Calls<T>
where
    T: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    T::Future: Send,
    T::Error: Into<StdError>,
{
    pub async fn post(&mut self, rule: &Rule<'_>, request: Request<PostRequest>) -> Result<i64, Status> {
        let answer = rule.within("an answer to Post", self.0.post(request)).await;
        answer.map(|response| response.into_inner().balance_cents)
    }

    /// Sends these requests at once and reads the answer.
    pub async fn import(
        &mut self,
        rule: &Rule<'_>,
        request: Request<Vec<PostRequest>>,
    ) -> Result<i64, Status> {
        let call = self.0.import(request.map(tokio_stream::iter));
        rule.within("an answer to Import", call).await.map(|response| response.into_inner().posted)
    }

    /// Reads a statement to its end: the cents of each entry, and how it ended.
    pub async fn statement(&mut self, rule: &Rule<'_>, request: Request<&str>) -> Result<Vec<i64>, Status> {
        let request = request.map(|account| StatementRequest { account: account.to_owned() });
        let reading = async {
            let mut entries = self.0.statement(request).await?.into_inner();
            let mut cents = Vec::new();
            while let Some(entry) = entries.message().await? {
                cents.push(entry.cents);
            }
            Ok(cents)
        };
        rule.within("the Statement comes to its end", reading).await
    }

    /// Sends a request, reads its reply, and so on: the balances, and how it ended.
    pub async fn exchange(
        &mut self,
        rule: &Rule<'_>,
        request: Request<Vec<PostRequest>>,
    ) -> Result<Vec<i64>, Status> {
        let talking = async {
            let (sender, receiver) = mpsc::channel(1);
            let mut requests = Vec::new();
            let call = self.0.exchange(request.map(|given| {
                requests = given;
                ReceiverStream::new(receiver)
            }));
            let mut replies = call.await?.into_inner();
            let mut balances = Vec::new();
            for request in requests {
                // Nobody reads it when the call is over. The next reply says so.
                let _ = sender.send(request).await;
                balances.extend(replies.message().await?.map(|reply| reply.balance_cents));
            }
            drop(sender);
            while let Some(PostResponse { balance_cents }) = replies.message().await? {
                balances.push(balance_cents);
            }
            Ok(balances)
        };
        rule.within("the Exchange comes to its end", talking).await
    }

    /// A Post that waits at the gate.
    pub async fn waiting_post(
        &mut self,
        rule: &Rule<'_>,
        ledger: &crate::scripted::Scripted,
        request: Request<PostRequest>,
    ) -> JoinHandle<()> {
        let mut client = self.0.clone();
        let (said, mut ended) = mpsc::channel(1);
        let call = tokio::spawn(async move {
            let seen = outcome(&client.post(request).await);
            let _ = said.send(seen).await;
        });
        let arrived = async {
            tokio::select! {
                () = ledger.arrived() => {}
                seen = ended.recv() => {
                    let seen = seen.unwrap_or("nothing".to_owned());
                    rule.broken("the call reaches its handler", format_args!("it ended with {seen}"))
                }
            }
        };
        rule.within("the call reaches its handler", arrived).await;
        call
    }

    /// A Statement of which one entry was read, and that says no more for now.
    pub async fn waiting_statement(
        &mut self,
        rule: &Rule<'_>,
        request: Request<&str>,
    ) -> Streaming<proto::ledger::v1::Entry> {
        let request = request.map(|account| StatementRequest { account: account.to_owned() });
        let reading = async {
            let mut entries = self.0.statement(request).await?.into_inner();
            let first = entries.message().await?;
            Ok::<_, Status>((entries, first.is_some()))
        };
        match rule.within("the first entry of the Statement", reading).await {
            Ok((entries, true)) => entries,
            Ok(_) => rule.broken("the first entry of the Statement", "the end of the stream"),
            Err(status) => rule.broken("the first entry of the Statement", outcome::<()>(&Err(status))),
        }
    }
}

/// Requests to post these amounts, one after the other.
pub fn posts(amounts: &[i64]) -> Vec<PostRequest> {
    amounts.iter().map(|cents| post("cash", *cents)).collect()
}
