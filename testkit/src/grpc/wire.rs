//! A client channel that writes down what crosses it.

use super::{codec, name};
use crate::{History, Seen};
use http_body::Frame;
use http_body_util::BodyExt as _;
use std::{
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use tonic::{Code, Status, body::Body, codegen::Bytes, transport};
use tower::{Service, util::BoxCloneSyncService};

type Call = http::Request<Body>;
type Reply = http::Response<Body>;

/// A channel to a server, for any generated client: `HealthClient::new(wire)`. Every call that is made over it
/// goes into the history with its messages and its status, as they were on the wire.
#[derive(Clone, Debug)]
pub struct Wire {
    channel: BoxCloneSyncService<Call, Reply, transport::Error>,
    history: History,
    contracts: codec::Contracts,
}

/// Connects to a server of the contracts that the labs share.
///
/// # Errors
/// What tonic says when nobody answers at that address.
pub async fn connect(history: &History, addr: SocketAddr) -> Result<Wire, transport::Error> {
    wire(history, addr, codec::Contracts::common()).await
}

/// Connects to a server of a lab's own contracts: `descriptors` is their encoded
/// `google.protobuf.FileDescriptorSet`. The history tells messages in its words.
///
/// # Errors
/// What tonic says when nobody answers at that address.
pub async fn connect_with(
    history: &History,
    addr: SocketAddr,
    descriptors: &[u8],
) -> Result<Wire, transport::Error> {
    wire(history, addr, codec::Contracts::of(descriptors)).await
}

async fn wire(
    history: &History,
    addr: SocketAddr,
    contracts: codec::Contracts,
) -> Result<Wire, transport::Error> {
    let channel = transport::Endpoint::from_shared(format!("http://{addr}"))?.connect().await?;
    Ok(Wire { channel: BoxCloneSyncService::new(channel), history: history.clone(), contracts })
}

impl Service<Call> for Wire {
    type Response = Reply;
    type Error = transport::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, transport::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, request: Call) -> Self::Future {
        let path = request.uri().path().to_owned();
        let (requests, replies) = self.contracts.types_of(&path).unzip();
        let mut tap = Tap::open(&self.history, &path, codec::Messages::of(replies));

        let request = watch_requests(request, &self.history, tap.call, codec::Messages::of(requests));
        let reply = self.channel.call(request);
        Box::pin(async move {
            match reply.await {
                Ok(reply) => Ok(watch_reply(reply, tap)),
                Err(error) => {
                    tap.ended(&format!("without a status: {}", root_of(&error)));
                    Err(error)
                }
            }
        })
    }
}

fn watch_requests(request: Call, history: &History, call: u64, mut messages: codec::Messages) -> Call {
    let history = history.clone();
    request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            for message in frame.data_ref().map_or_else(Vec::new, |bytes| messages.read(bytes)) {
                history.record(Seen::Sent { call, message });
            }
            frame
        }))
    })
}

fn watch_reply(reply: Reply, mut tap: Tap) -> Reply {
    // A call that fails at once has its status in the headers (Trailers-Only), any other in the trailers.
    if let Some(status) = Status::from_header_map(reply.headers()) {
        tap.ended(&describe(&status));
        return reply;
    }
    reply.map(|body| Body::new(Watched { body, tap }))
}

/// The body of a reply that tells its tap what passes through it.
struct Watched {
    body: Body,
    tap: Tap,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => self.tap.frame(frame),
            Poll::Ready(Some(Err(status))) => self.tap.ended(&describe(status)),
            Poll::Ready(None) => self.tap.ended("without a status"),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// Watches one call from the client's side until it ends or is dropped.
struct Tap {
    history: History,
    call: u64,
    replies: codec::Messages,
    over: bool,
}

impl Tap {
    fn open(history: &History, path: &str, replies: codec::Messages) -> Self {
        let call = history.next_call();
        // "/grpc.health.v1.Health/Watch" is "Health/Watch" to a reader.
        let method = path.rsplit('.').next().unwrap_or(path).to_owned();
        history.record(Seen::Called { call, method });
        Self { history: history.clone(), call, replies, over: false }
    }

    fn frame(&mut self, frame: &Frame<Bytes>) {
        for message in frame.data_ref().map_or_else(Vec::new, |bytes| self.replies.read(bytes)) {
            self.history.record(Seen::Received { call: self.call, message });
        }
        if let Some(status) = frame.trailers_ref().and_then(Status::from_header_map) {
            self.ended(&describe(&status));
        }
    }

    fn ended(&mut self, status: &str) {
        if !std::mem::replace(&mut self.over, true) {
            self.history.record(Seen::Ended { call: self.call, status: status.to_owned() });
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if !self.over {
            self.history.record(Seen::Dropped { call: self.call });
        }
    }
}

/// What is behind an error of the transport, whose own text is always the same.
fn root_of(mut error: &dyn std::error::Error) -> String {
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn describe(status: &Status) -> String {
    match (status.code(), status.message()) {
        (Code::Ok, _) | (_, "") => name(status.code()).to_owned(),
        (code, message) => format!("{}: {message}", name(code)),
    }
}
