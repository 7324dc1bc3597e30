//! The calls of the ledger.

use crate::{Book, Context, Session, Stack};
use proto::ledger::v1::{
    Entry, ImportResponse, NoteRequest, PostRequest, PostResponse, StatementRequest,
    audit_client::AuditClient, ledger_server,
};
use std::pin::Pin;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

/// `ledger.v1.Ledger` over a [`Book`]. Serve it behind [`inbound`](crate::inbound).
#[derive(Clone, Debug)]
pub struct Ledger {
    book: Book,
    /// Hears of each entry first, if there is one.
    audit: Option<AuditClient<Stack>>,
}

impl Ledger {
    /// A ledger without an audit.
    pub fn new(book: Book) -> Self {
        Self { book, audit: None }
    }

    /// A ledger that tells an audit of each entry before it is posted, through [`outbound`](crate::outbound).
    pub fn with_audit(book: Book, audit: Stack) -> Self {
        Self { book, audit: Some(AuditClient::new(audit)) }
    }

    /// Tells the audit of an entry and then posts it. Given, and complete.
    ///
    /// # Errors
    /// UNAVAILABLE when the audit does not answer, and those of [`Session::post`]. Nothing is posted then.
    async fn enter(
        &self,
        session: &Session,
        context: &Context,
        request: PostRequest,
    ) -> Result<PostResponse, Status> {
        if let Some(audit) = &self.audit {
            let note = context.onward(NoteRequest { entry: request.entry.clone() });
            let noted = audit.clone().note(note).await;
            noted.map_err(|_| Status::unavailable("the audit does not answer"))?;
        }
        Ok(PostResponse { balance_cents: session.post(request.entry)? })
    }
}

#[tonic::async_trait]
impl ledger_server::Ledger for Ledger {
    /// Posts one entry, by `enter`, in a session that is dry when the call is.
    ///
    /// # Errors
    /// Those of [`Context::of`] and `enter`.
    async fn post(&self, request: Request<PostRequest>) -> Result<Response<PostResponse>, Status> {
        // stub: todo!("step 5: the context, a session as dry as the call, enter")
        let context = Context::of(&request)?;
        let session = self.book.begin(context.dry_run);
        self.enter(&session, &context, request.into_inner()).await.map(Response::new)
        // stub: end
    }

    /// Posts entry after entry as they come, by `enter`, all in one session that is dry when the call is, and answers
    /// with how many there were.
    ///
    /// # Errors
    /// The first that `enter` or the stream of requests gives, and those of [`Context::of`]. Entries before it stay
    /// posted.
    async fn import(
        &self,
        request: Request<Streaming<PostRequest>>,
    ) -> Result<Response<ImportResponse>, Status> {
        // stub: todo!("step 5: the context, one session for all, enter each request of the stream")
        let context = Context::of(&request)?;
        let session = self.book.begin(context.dry_run);
        let mut requests = request.into_inner();
        let mut posted = 0;
        while let Some(request) = requests.message().await? {
            self.enter(&session, &context, request).await?;
            posted += 1;
        }
        Ok(Response::new(ImportResponse { posted }))
        // stub: end
    }

    /// What `statement` answers with.
    type StatementStream = Pin<Box<dyn Stream<Item = Result<Entry, Status>> + Send>>;

    /// The entries of an account. It changes nothing, dry or not. Given, and complete.
    async fn statement(
        &self,
        request: Request<StatementRequest>,
    ) -> Result<Response<Self::StatementStream>, Status> {
        let entries = self.book.entries(&request.into_inner().account);
        Ok(Response::new(Box::pin(tokio_stream::iter(entries).map(Ok))))
    }

    /// What `exchange` answers with.
    type ExchangeStream = Pin<Box<dyn Stream<Item = Result<PostResponse, Status>> + Send>>;

    /// Posts entries, by `enter`, all in one session that is dry when the call is, and answers each before the next is
    /// read.
    ///
    /// # Errors
    /// Those of [`Context::of`]. The first that `enter` or the stream of requests gives ends the replies.
    async fn exchange(
        &self,
        request: Request<Streaming<PostRequest>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        // stub: todo!("step 5: the same, and a stream of replies")
        let context = Context::of(&request)?;
        let work = std::sync::Arc::new((self.clone(), self.book.begin(context.dry_run), context));
        let replies = request.into_inner().then(move |request| {
            let work = std::sync::Arc::clone(&work);
            async move {
                let (ledger, session, context) = &*work;
                ledger.enter(session, context, request?).await
            }
        });
        // An error ends the call: tonic sends it as the status, and reads nothing after it.
        Ok(Response::new(Box::pin(replies)))
        // stub: end
    }
}
