//! The client's side: a channel to a service, wherever its instances are.

use crate::endpoints::Endpoints;
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, atomic::AtomicUsize},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};
use tonic::{
    Status,
    body::Body,
    codegen::{Service, StdError, http},
    transport::Channel,
};
// stub: drop
use crate::{Update, endpoints::Keeper};
use proto::discovery::v1::{WatchRequest, discovery_client::DiscoveryClient, watch_response};
use std::sync::atomic::Ordering;
use tokio::time::{sleep, timeout};
// stub: end

/// How a [`BalancedChannel`] goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancePolicy {
    /// How long a call waits for an instance that is live, when there is none. This bounds only that wait: a call that
    /// has found its instance takes as long as it takes.
    pub patience: Duration,
    /// The time between the end of a Watch, of the registry or of an instance's health, and the next try.
    pub retry: Duration,
    /// `None`: every instance that is discovered is live.
    ///
    /// `Some(service)`: an instance is live while it says that this service is SERVING, on a
    /// [`grpc.health.v1`](proto::grpc::health::v1) Watch that is open all the time.
    ///
    /// - Before its first message, and with any other status, it is not live.
    /// - A Watch that fails with UNIMPLEMENTED makes it live for good: it has no health service.
    /// - When a Watch fails in any other way, or ends, the instance is not live until another Watch says so.
    pub health: Option<String>,
}

impl Default for BalancePolicy {
    /// A second of patience, a second between two tries, no health.
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { patience: second, retry: second, health: None }
    }
}

/// A channel to a service by its name, for any generated client: `UserServiceClient::new(channel)`.
///
/// It watches the service in a registry, [`discovery.v1`](proto::discovery::v1), and sends each call to one of its live
/// instances. Clones share everything, and when the last one is dropped, no Watch is left open.
///
/// # Where calls go
///
/// - To live instances only, and to each of them in the long run, also when each call is made on a fresh clone.
/// - A call that finds no live instance waits for one. After [`patience`](BalancePolicy::patience) it fails with
///   UNAVAILABLE.
/// - An instance that is removed gets no new call. One that has another address is called there and no longer at the
///   old one. Updates take effect in their order, and each as a whole: once an instance is called that an update
///   brought, all of it and everything that was told before has had its effect.
/// - An instance whose address cannot be used is left out, and harms no other.
/// - A call that fails is not tried again. Its caller gets what the instance or the connection said.
///
/// # When the registry fails
///
/// The instances that are known stay: old news beat none. After [`retry`](BalancePolicy::retry) the channel watches
/// again. The snapshot with which that begins replaces all that was known.
///
/// The private fields are yours: keep these or put something else in their place.
#[derive(Clone, Debug)]
pub struct BalancedChannel {
    service: Arc<str>,
    /// What is known now; it also wakes calls that wait for an instance.
    endpoints: watch::Receiver<Endpoints>,
    /// Counts the calls of all clones.
    turn: Arc<AtomicUsize>,
    patience: Duration,
    /// The one task that follows the registry. It ends when the last clone drops this.
    _following: Arc<JoinSet<()>>,
}

impl BalancedChannel {
    /// A channel to `service`, as the registry at the other end of `registry` knows it. Returns at once, also when the
    /// registry cannot be reached.
    ///
    /// Must be called within a Tokio runtime.
    pub fn new(registry: Channel, service: &str, policy: BalancePolicy) -> Self {
        // stub: todo!("step 4: follow the service in the registry from now on, and know its instances")
        let (sender, endpoints) = watch::channel(Endpoints::new());
        let patience = policy.patience;
        let mut following = JoinSet::new();
        following.spawn(follow(registry, service.to_owned(), sender, policy));
        Self {
            service: service.into(),
            endpoints,
            turn: Arc::default(),
            patience,
            _following: Arc::new(following),
        }
        // stub: end
    }

    /// The connection for the next call.
    ///
    /// # Errors
    /// UNAVAILABLE when there was no live instance for as long as patience lasts.
    async fn pick(&self) -> Result<Channel, Status> {
        // stub: todo!("step 4: one of the live instances, each in its turn; without any, wait, but not for ever")
        let mut endpoints = self.endpoints.clone();
        let some_are_live = endpoints.wait_for(|endpoints| endpoints.values().any(|endpoint| endpoint.live));
        let Ok(Ok(endpoints)) = timeout(self.patience, some_are_live).await else {
            return Err(Status::unavailable(format!("no live instance of {}", self.service)));
        };
        let live: Vec<_> = endpoints.values().filter(|endpoint| endpoint.live).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Ok(live[turn % live.len()].channel.clone())
        // stub: end
    }
}

// Given, and complete: how a generated client makes its calls.
impl Service<http::Request<Body>> for BalancedChannel {
    type Response = http::Response<Body>;
    type Error = StdError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, StdError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        // Which instance must be ready is decided for each call.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let mut channel = this.pick().await?;
            poll_fn(|context| channel.poll_ready(context)).await?;
            Ok(channel.call(request).await?)
        })
    }
}
// stub: drop

/// Keeps the endpoints as the registry says, for ever.
async fn follow(
    registry: Channel,
    service: String,
    endpoints: watch::Sender<Endpoints>,
    policy: BalancePolicy,
) {
    let mut registry = DiscoveryClient::new(registry);
    let retry = policy.retry;
    let mut keeper = Keeper::new(endpoints, policy);
    loop {
        if let Ok(response) = registry.watch(WatchRequest { service: service.clone() }).await {
            let mut updates = response.into_inner();
            // A message that this client does not know may be any change: a new Watch begins with all that there is.
            while let Ok(Some(message)) = updates.message().await
                && let Some(update) = message.update
            {
                keeper.apply(known(update));
            }
        }
        sleep(retry).await;
    }
}

fn known(update: watch_response::Update) -> Update {
    match update {
        watch_response::Update::Snapshot(snapshot) => Update::Snapshot(snapshot.instances),
        watch_response::Update::Added(instance) => Update::Added(instance),
        watch_response::Update::Removed(id) => Update::Removed { id },
    }
}
// stub: end
