// Clients of real connections, and the four kinds of calls.

use crate::{logbook::Logbook, scripted::post};
use lab_04_interceptors::{AccessLogLayer, RequestId, Side};
use proto::ledger::v1::{
    PostRequest, PostResponse, StatementRequest, ledger_client::LedgerClient, ledger_server::LedgerServer,
};
use std::fmt::Debug;
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
    let logged = AccessLogLayer::new(Side::Server, log.sink()).layer(ledger);
    let server = grpc::serve_stack(log.oversee(logged)).await;
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
    answer.as_ref().map_or_else(told, |_| "OK".to_owned())
}

/// A status in words.
pub fn told(status: &Status) -> String {
    format!("{}: {}", grpc::name(status.code()), status.message())
}

/// The call must end well, with this answer. `expected` says in words what that is.
#[track_caller]
pub fn answers<T, A>(rule: &Rule<'_>, expected: &str, right: &A, answer: &Result<T, Status>)
where
    T: PartialEq<A> + Debug,
    A: ?Sized,
{
    let seen = answer.as_ref().map_or_else(told, |seen| format!("{seen:?}"));
    rule.holds(answer.as_ref().is_ok_and(|seen| seen == right), expected, seen);
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

    /// Sends these requests at once and reads the replies: the balances, and how it ended.
    pub async fn exchange(
        &mut self,
        rule: &Rule<'_>,
        request: Request<Vec<PostRequest>>,
    ) -> Result<Vec<i64>, Status> {
        let reading = async {
            let mut replies = self.0.exchange(request.map(tokio_stream::iter)).await?.into_inner();
            let mut balances = Vec::new();
            while let Some(PostResponse { balance_cents }) = replies.message().await? {
                balances.push(balance_cents);
            }
            Ok(balances)
        };
        rule.within("the Exchange comes to its end", reading).await
    }

    /// Exchanges too, but sends no request before the one before it was answered.
    pub async fn converse(
        &mut self,
        rule: &Rule<'_>,
        request: Request<Vec<PostRequest>>,
    ) -> Result<Vec<i64>, Status> {
        let (sender, receiver) = mpsc::channel(1);
        let mut requests = Vec::new().into_iter();
        let call = request.map(|given| {
            requests = given.into_iter();
            ReceiverStream::new(receiver)
        });
        // It has room for one, so this does not wait. A server may have to see a request before it sends headers.
        let _ = sender.send(requests.next().expect("a test that asks something")).await;
        let expected = "an answer to request 1, before there is a second one";
        let mut replies = rule.within(expected, self.0.exchange(call)).await?.into_inner();
        let mut balances = Vec::new();
        loop {
            let number = balances.len() + 1;
            let expected = format!("an answer to request {number}, before there is another one");
            let reply = rule.within(expected, replies.message()).await?;
            let Some(PostResponse { balance_cents }) = reply else { return Ok(balances) };
            balances.push(balance_cents);
            let Some(request) = requests.next() else { break };
            // Nobody reads it when the call is over. The next reply says so.
            let _ = sender.send(request).await;
        }
        drop(sender);
        while let Some(reply) = rule.within("the Exchange comes to its end", replies.message()).await? {
            balances.push(reply.balance_cents);
        }
        Ok(balances)
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
            Err(status) => rule.broken("the first entry of the Statement", told(&status)),
        }
    }
}

/// Requests to post these amounts, one after the other.
pub fn posts(amounts: &[i64]) -> Vec<PostRequest> {
    amounts.iter().map(|cents| post("cash", *cents)).collect()
}
