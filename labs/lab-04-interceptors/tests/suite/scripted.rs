// A ledger that does what the account in a request says.

use proto::ledger::v1::{
    Entry, ImportResponse, PostRequest, PostResponse, StatementRequest,
    ledger_server::{Ledger, LedgerServer},
};
use std::{pin::Pin, sync::Arc};
use tokio::sync::{Notify, Semaphore};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};

/// The account of a call that fails at once.
pub const MISSING: &str = "missing";
/// The account of a Post that waits at the gate before it answers, and of a Statement that waits after its first entry.
pub const WAITS: &str = "waits";
/// The account of a Statement that fails after two entries.
pub const HALF: &str = "half";
/// The account of a Statement of one entry of 100 000 bytes.
pub const LARGE: &str = "large";

/// Answers by the account. Any other account's Statement has three entries.
#[derive(Clone, Debug, Default)]
pub struct Scripted {
    arrived: Arc<Notify>,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Gate {
    async fn pass(&self) {
        self.0.acquire().await.expect("nobody closes the gate").forget();
    }
}

impl Scripted {
    pub fn server(&self) -> LedgerServer<Self> {
        LedgerServer::new(self.clone())
    }

    /// A call is waiting at the gate.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Lets one call go on.
    pub fn open(&self) {
        self.gate.0.add_permits(1);
    }
}

/// An entry for an account.
pub fn entry(account: &str, cents: i64) -> Entry {
    Entry { account: account.to_owned(), cents, text: String::new() }
}

/// A request to post it.
pub fn post(account: &str, cents: i64) -> PostRequest {
    PostRequest { entry: Some(entry(account, cents)) }
}

/// The failure of a disk, with a word in its metadata.
fn broken() -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("x-word", "smoke".parse().expect("plain letters"));
    Status::with_metadata(tonic::Code::DataLoss, "the disk is on fire", metadata)
}

#[tonic::async_trait]
impl Ledger for Scripted {
    async fn post(&self, request: Request<PostRequest>) -> Result<Response<PostResponse>, Status> {
        let entry = request.into_inner().entry.unwrap_or_default();
        match entry.account.as_str() {
            MISSING => return Err(Status::not_found("no such account")),
            WAITS => {
                self.arrived.notify_one();
                self.gate.pass().await;
            }
            _ => {}
        }
        Ok(Response::new(PostResponse { balance_cents: entry.cents }))
    }

    async fn import(
        &self,
        request: Request<Streaming<PostRequest>>,
    ) -> Result<Response<ImportResponse>, Status> {
        let mut requests = request.into_inner();
        let mut posted = 0;
        while requests.message().await?.is_some() {
            posted += 1;
        }
        Ok(Response::new(ImportResponse { posted }))
    }

    type StatementStream = Pin<Box<dyn Stream<Item = Result<Entry, Status>> + Send>>;

    async fn statement(
        &self,
        request: Request<StatementRequest>,
    ) -> Result<Response<Self::StatementStream>, Status> {
        let account = request.into_inner().account;
        let entries = match account.as_str() {
            MISSING => return Err(Status::not_found("no such account")),
            HALF => vec![Ok(entry(HALF, 1)), Ok(entry(HALF, 2)), Err(broken())],
            LARGE => vec![Ok(Entry { text: "x".repeat(100_000), ..entry(LARGE, 1) })],
            WAITS => {
                let gate = Arc::clone(&self.gate);
                let second = tokio_stream::once(()).then(move |()| {
                    let gate = Arc::clone(&gate);
                    async move {
                        gate.pass().await;
                        Ok(entry(WAITS, 2))
                    }
                });
                let entries = tokio_stream::once(Ok(entry(WAITS, 1))).chain(second);
                return Ok(Response::new(Box::pin(entries)));
            }
            account => (1..=3).map(|cents| Ok(entry(account, cents))).collect(),
        };
        Ok(Response::new(Box::pin(tokio_stream::iter(entries))))
    }

    type ExchangeStream = Pin<Box<dyn Stream<Item = Result<PostResponse, Status>> + Send>>;

    async fn exchange(
        &self,
        request: Request<Streaming<PostRequest>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        let replies = request.into_inner().map(|request| {
            let entry = request?.entry.unwrap_or_default();
            Ok(PostResponse { balance_cents: entry.cents })
        });
        Ok(Response::new(Box::pin(replies)))
    }
}
