// Step 3: the registry on a real socket. Every message is in the timeline.

use crate::{
    clerk::{LONG, USERS, instance, millis, tasks},
    soon::soon,
};
use lab_03_service_discovery::{DiscoveryService, Instance, ServiceRegistry};
use proto::discovery::v1::{
    DeregisterRequest, DiscoverRequest, RegisterRequest, RenewRequest, WatchRequest, WatchResponse,
    discovery_client::DiscoveryClient, discovery_server::DiscoveryServer, watch_response::Update,
};
use std::collections::BTreeMap;
use testkit::{
    Passed, Rule, Trial,
    grpc::{self, Server, Wire},
};
use tonic::{Code, Status, Streaming, service::Routes};

const SECTION: &str = "step-3-on-the-wire";

const HOUR: u64 = 3_600_000;

/// A client of the registry, over one connection.
struct Client {
    _server: Server,
    registry: ServiceRegistry,
    calls: DiscoveryClient<Wire>,
}

impl Client {
    async fn start(trial: &Trial, rule: &Rule<'_>) -> Self {
        let registry = ServiceRegistry::new();
        let routes = Routes::new(DiscoveryServer::new(DiscoveryService::new(registry.clone())));
        let server = grpc::serve(routes).await;
        match rule.within("a connection", grpc::connect(trial.history(), server.addr())).await {
            Ok(wire) => Self { _server: server, registry, calls: DiscoveryClient::new(wire) },
            Err(error) => rule.broken("a connection", error),
        }
    }

    async fn register(
        &mut self,
        rule: &Rule<'_>,
        instance: Option<Instance>,
        ttl_ms: u64,
    ) -> Result<u64, Code> {
        let request = RegisterRequest { service: USERS.into(), instance, ttl_ms };
        let answer = rule.within("an answer to Register", self.calls.register(request)).await;
        answer.map(|answer| answer.into_inner().lease).map_err(|status| status.code())
    }

    /// A registration that must be granted.
    async fn registers(&mut self, rule: &Rule<'_>, instance: &Instance, ttl_ms: u64) -> u64 {
        match self.register(rule, Some(instance.clone()), ttl_ms).await {
            Ok(lease) => lease,
            Err(code) => rule.broken("a lease", grpc::name(code)),
        }
    }

    async fn renews(&mut self, rule: &Rule<'_>, lease: u64, expected: Code) {
        let answer = rule.within("an answer to Renew", self.calls.renew(RenewRequest { lease })).await;
        let seen = answer.map_or_else(|status| status.code(), |_| Code::Ok);
        rule.holds(
            seen == expected,
            format_args!("Renew ends with {}", grpc::name(expected)),
            grpc::name(seen),
        );
    }

    async fn deregisters(&mut self, rule: &Rule<'_>, lease: u64) {
        let request = DeregisterRequest { lease };
        let answer = rule.within("an answer to Deregister", self.calls.deregister(request)).await;
        let seen = answer.map_or_else(|status| status.code(), |_| Code::Ok);
        rule.holds(seen == Code::Ok, "Deregister ends with OK", grpc::name(seen));
    }

    async fn discovers(&mut self, rule: &Rule<'_>, expected: &[&Instance]) {
        let request = DiscoverRequest { service: USERS.into() };
        let seen = match rule.within("an answer to Discover", self.calls.discover(request)).await {
            Ok(answer) => answer.into_inner().instances,
            Err(status) => rule.broken("an answer to Discover", status),
        };
        let same =
            seen.len() == expected.len() && seen.iter().zip(expected).all(|(one, other)| one == *other);
        rule.holds(same, format_args!("{expected:?}"), format_args!("{seen:?}"));
    }

    async fn watches(&mut self, rule: &Rule<'_>) -> Watching {
        let request = WatchRequest { service: USERS.into() };
        match rule.within("Watch is accepted", self.calls.watch(request)).await {
            Ok(answer) => Watching { messages: answer.into_inner() },
            Err(status) => rule.broken("Watch is accepted", status),
        }
    }
}

/// An open Watch.
struct Watching {
    messages: Streaming<WatchResponse>,
}

impl Watching {
    async fn next(&mut self, rule: &Rule<'_>, expected: &str) -> Update {
        let message: Result<Option<WatchResponse>, Status> =
            soon(rule, expected, self.messages.message()).await;
        match message {
            Ok(Some(WatchResponse { update: Some(update) })) => update,
            Ok(Some(_)) => rule.broken(expected, "a message without an update"),
            Ok(None) => rule.broken(expected, "the call ended with OK"),
            Err(status) => rule.broken(expected, format_args!("the call ended with {status}")),
        }
    }

    async fn says(&mut self, rule: &Rule<'_>, expected: Update) {
        let words = format!("the Watch says {expected:?}");
        let seen = self.next(rule, &words).await;
        rule.holds(seen == expected, words, format_args!("{seen:?}"));
    }
}

fn snapshot(instances: &[&Instance]) -> Update {
    let instances = instances.iter().map(|instance| (*instance).clone()).collect();
    Update::Snapshot(proto::discovery::v1::Snapshot { instances })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_is_discovered_until_it_gives_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Register, Renew, Discover and Deregister do what the registry does");
    let mut client = Client::start(&trial, &rule).await;
    let (a, b) = (instance("a", 1), instance("b", 2));
    client.discovers(&rule, &[]).await;
    let lease = client.registers(&rule, &a, HOUR).await;
    client.registers(&rule, &b, HOUR).await;
    client.discovers(&rule, &[&a, &b]).await;
    client.renews(&rule, lease, Code::Ok).await;
    client.deregisters(&rule, lease).await;
    client.discovers(&rule, &[&b]).await;
    let known = rule.within("an answer to discover", client.registry.discover(USERS)).await;
    rule.same(vec![b], known);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_an_invalid_argument() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A registration that makes no sense fails with INVALID_ARGUMENT");
    let mut client = Client::start(&trial, &rule).await;
    let a = instance("a", 1);
    let nameless = Instance { id: String::new(), ..a.clone() };
    for (what, instance, ttl_ms) in [
        ("no instance", None, HOUR),
        ("an empty id", Some(nameless), HOUR),
        ("a TTL of zero", Some(a.clone()), 0),
        ("a TTL of two hours", Some(a.clone()), 2 * HOUR),
        ("the longest TTL that there can be", Some(a), u64::MAX),
    ] {
        let seen = client.register(&rule, instance, ttl_ms).await;
        let expected = format!("Register with {what} fails with INVALID_ARGUMENT");
        rule.holds(seen == Err(Code::InvalidArgument), expected, format_args!("{seen:?}"));
    }
    client.discovers(&rule, &[]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_over_is_not_found() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("Renew of a lease that is over fails with NOT_FOUND; Deregister of one is no error");
    let mut client = Client::start(&trial, &rule).await;
    let a = instance("a", 1);
    let old = client.registers(&rule, &a, HOUR).await;
    let new = client.registers(&rule, &a, HOUR).await;
    client.renews(&rule, old, Code::NotFound).await;
    client.deregisters(&rule, old).await;
    client.discovers(&rule, &[&a]).await;
    client.deregisters(&rule, new).await;
    client.renews(&rule, new, Code::NotFound).await;
    client.deregisters(&rule, new).await;
    client.renews(&rule, 4711, Code::NotFound).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_says_what_happens() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch says a snapshot at once, also of nobody, and then each change");
    let mut client = Client::start(&trial, &rule).await;
    let (a, moved, b) = (instance("a", 1), instance("a", 9), instance("b", 2));
    let mut early = client.watches(&rule).await;
    early.says(&rule, snapshot(&[])).await;
    client.registers(&rule, &a, HOUR).await;
    early.says(&rule, Update::Added(a.clone())).await;
    let lease = client.registers(&rule, &b, HOUR).await;
    early.says(&rule, Update::Added(b.clone())).await;
    let mut late = client.watches(&rule).await;
    late.says(&rule, snapshot(&[&a, &b])).await;
    client.registers(&rule, &moved, HOUR).await;
    client.deregisters(&rule, lease).await;
    for watching in [&mut early, &mut late] {
        // A registry that is not asked in between may as well say all of it at once.
        match watching.next(&rule, "the Watch says that a has moved").await {
            Update::Snapshot(all) => rule.same(vec![moved.clone()], all.instances),
            seen => {
                rule.same(Update::Added(moved.clone()), seen);
                watching.says(&rule, Update::Removed("b".into())).await;
            }
        }
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_says_that_a_lease_has_expired() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch says that an instance has gone when its lease has expired");
    let mut client = Client::start(&trial, &rule).await;
    let mut watching = client.watches(&rule).await;
    watching.says(&rule, snapshot(&[])).await;
    let a = instance("a", 1);
    let lease = client.registers(&rule, &a, 200).await;
    watching.says(&rule, Update::Added(a)).await;
    watching.says(&rule, Update::Removed("a".into())).await;
    client.renews(&rule, lease, Code::NotFound).await;
    client.discovers(&rule, &[]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_late_catches_up() -> Passed {
    const CHANGES: u16 = 5_000;
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A client that reads late holds nobody up, and comes to know what there is");
    let mut client = Client::start(&trial, &rule).await;
    let mut watching = client.watches(&rule).await;
    watching.says(&rule, snapshot(&[])).await;
    for port in 1..=CHANGES {
        let new = instance(["a", "b", "c"][usize::from(port % 3)], port);
        let granted = rule.within("a lease", client.registry.register(USERS, new, LONG)).await;
        rule.holds(granted.is_ok(), "a lease", format_args!("{granted:?}"));
    }
    trial.did(format!("{CHANGES} changes are made; only now the client reads"));
    let expected: BTreeMap<String, String> = (CHANGES - 2..=CHANGES)
        .map(|port| instance(["a", "b", "c"][usize::from(port % 3)], port))
        .map(|instance| (instance.id, instance.address))
        .collect();
    let mut view = BTreeMap::new();
    while view != expected {
        match watching.next(&rule, &format!("the Watch comes to {expected:?}")).await {
            Update::Snapshot(all) => {
                view = all.instances.into_iter().map(|one| (one.id, one.address)).collect();
            }
            Update::Added(one) => _ = view.insert(one.id, one.address),
            Update::Removed(id) => _ = view.remove(&id),
        }
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_has_gone_is_forgotten() -> Passed {
    const CLIENTS: usize = 50;
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When a client has gone, its tasks end, at the latest with the next change");
    let mut client = Client::start(&trial, &rule).await;
    let a = instance("a", 1);
    client.registers(&rule, &a, HOUR).await;
    let before = tasks();
    let mut watches = Vec::new();
    for _ in 0..CLIENTS {
        let mut watching = client.watches(&rule).await;
        watching.says(&rule, snapshot(&[&a])).await;
        watches.push(watching);
    }
    drop(watches);
    trial.did(format!("{CLIENTS} Watches are dropped"));
    let gone = async {
        let mut port = 1;
        while tasks() >= before + CLIENTS / 2 {
            port = port % 60_000 + 1;
            let _ = client.registry.register(USERS, instance("b", port), LONG).await;
            // Counting tasks is asking again and again: no task tells of its end.
            tokio::time::sleep(millis(5)).await;
        }
    };
    soon(&rule, "the tasks are down to what they were before the clients came", gone).await;
    trial.passed()
}
