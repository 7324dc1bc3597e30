//! Service discovery: a registry with leases and watches, and a client that balances its calls over what it discovers.
//!
//! # Scope
//!
//! - A registry of who offers a service and where ([`ServiceRegistry`]). A registration is a lease: it is renewed or it
//!   expires.
//! - Watches: a snapshot, and then every change ([`Update`]), for watchers of any pace.
//! - All of it over gRPC: [`discovery.v1`](proto::discovery::v1), served by [`DiscoveryService`].
//! - A channel for generated clients that follows a watch, spreads its calls and obeys the health of each instance
//!   ([`BalancedChannel`]).
//!
//! # Not in scope
//!
//! - A registry of several replicas that agree with each other. That is what etcd and Consul are for.
//! - Who may register, or renew whose lease: everybody who can connect. A lease is a number, not a secret.
//! - Retries of calls that failed, and outliers among instances that call themselves well.
//!
//! # Words
//!
//! A *service* is a name such as `users.v1.UserService`. An *instance* is one server that offers it: an id that is
//! unique within the service, and an address. A *lease* stands for one registration of an instance. A *watcher* reads
//! what [`ServiceRegistry::watch`] returns. An instance is *live* for a client when calls may go there.

// Until all steps are written some of the given code has no caller, and no parameter a use.
#![allow(dead_code, unused_variables)]
#![warn(missing_docs)]

mod client;
mod endpoints;
mod health;
mod registry;
mod service;
mod state;
mod update;

pub use client::{BalancePolicy, BalancedChannel};
pub use registry::{EXPIRY_LAG, LeaseId, MAX_TTL, Refused, ServiceRegistry};
pub use service::DiscoveryService;
pub use update::{MOST_WAITING, Update, UpdateStream};

pub use proto::discovery::v1::Instance;
