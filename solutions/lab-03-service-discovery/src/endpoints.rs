//! The instances of a service as a client has them: each with a connection, and live or not.

use std::collections::BTreeMap;
use tonic::transport::Channel;
// stub: drop
use crate::{BalancePolicy, Instance, Update, health::follow_health};
use std::{collections::HashMap, time::Duration};
use tokio::{sync::watch, task::JoinSet};
use tonic::transport;
// stub: end

/// The instances that are known, by id.
pub(crate) type Endpoints = BTreeMap<String, Endpoint>;

/// One instance.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// Where it is.
    pub(crate) address: String,
    /// The connection to it, which is made when it is needed first.
    pub(crate) channel: Channel,
    /// Whether calls may go there.
    pub(crate) live: bool,
}
// stub: drop

/// The longest time for a connection to come about.
const CONNECT: Duration = Duration::from_secs(1);

/// Keeps the endpoints as the updates say.
pub(crate) struct Keeper {
    endpoints: watch::Sender<Endpoints>,
    /// Those who follow the health of each endpoint. A set of one: dropping it ends its task.
    following: HashMap<String, JoinSet<()>>,
    policy: BalancePolicy,
}

impl Keeper {
    pub(crate) fn new(endpoints: watch::Sender<Endpoints>, policy: BalancePolicy) -> Self {
        Self { endpoints, following: HashMap::new(), policy }
    }

    /// Takes an update in.
    pub(crate) fn apply(&mut self, update: Update) {
        match update {
            Update::Snapshot(instances) => {
                let gone = |id: &String| instances.iter().all(|instance| instance.id != *id);
                let gone: Vec<_> = self.endpoints.borrow().keys().filter(|id| gone(id)).cloned().collect();
                gone.iter().for_each(|id| self.remove(id));
                instances.into_iter().for_each(|instance| self.add(instance));
            }
            Update::Added(instance) => self.add(instance),
            Update::Removed { id } => self.remove(&id),
        }
    }

    fn add(&mut self, Instance { id, address }: Instance) {
        let has_address = |endpoint: &Endpoint| endpoint.address == address;
        if self.endpoints.borrow().get(&id).is_some_and(has_address) {
            // A fresh snapshot tells again of what is known. Its connection and its health are as good as before.
            return;
        }
        self.remove(&id);
        // Whoever registered an address that is none harms only themselves.
        let Ok(endpoint) = transport::Endpoint::from_shared(format!("http://{address}")) else { return };
        let channel = endpoint.connect_timeout(CONNECT).connect_lazy();
        let live = self.policy.health.is_none();
        let endpoint = Endpoint { address: address.clone(), channel: channel.clone(), live };
        self.endpoints.send_modify(|endpoints| _ = endpoints.insert(id.clone(), endpoint));
        if let Some(service) = self.policy.health.clone() {
            let mut following = JoinSet::new();
            following.spawn(self.follow(id.clone(), address, channel, service));
            self.following.insert(id, following);
        }
    }

    /// Whoever follows its health ends too.
    fn remove(&mut self, id: &str) {
        self.following.remove(id);
        self.endpoints.send_if_modified(|endpoints| endpoints.remove(id).is_some());
    }

    /// Lets an endpoint be live while it is well.
    fn follow(
        &self,
        id: String,
        address: String,
        channel: Channel,
        service: String,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (endpoints, retry) = (self.endpoints.clone(), self.policy.retry);
        async move {
            follow_health(channel, &service, retry, |live| {
                endpoints.send_if_modified(|endpoints| {
                    // While this task is being ended, another endpoint may stand under this id already, or none.
                    let endpoint = endpoints.get_mut(&id).filter(|endpoint| endpoint.address == address);
                    endpoint.is_some_and(|endpoint| std::mem::replace(&mut endpoint.live, live) != live)
                });
            })
            .await;
        }
    }
}
// stub: end
