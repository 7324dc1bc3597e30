//! A gRPC service from its contract to its client: the users of a shop.
//!
//! # Scope
//!
//! - A contract of the lab's own, `proto/shop/users/v1/users.proto`, and how it moves on while old programs go on
//!   reading what new ones write, and the other way round.
//! - A server for it ([`Users`]): a status code for each outcome, pages, every violation of a rule in one answer.
//! - A client ([`UserClient`]): a limit for each wait, and *there is no such user* told apart from *I could not ask*.
//!
//! # Not in scope
//!
//! - A store worth the name. [`Memory`] forgets everything when its process ends.
//! - TLS, and who may call what.
//! - Retries, and deadlines that are passed on from call to call.
//!
//! # Words
//!
//! A *message* is what the contract describes and what crosses the wire: the types in [`pb`]. A *user* is what this
//! program works with: [`User`]. They look alike and change for different reasons, so they are two types.

// Until all steps are written some of the given code has no caller, and no parameter a use.
#![allow(dead_code, unused_variables)]
#![warn(missing_docs)]

mod archive;
mod client;
mod convert;
mod page;
mod server;
mod service;
mod store;
mod user;
mod validate;

pub use archive::{export, import};
pub use client::{ConnectError, Limits, Page, UserClient};
pub use server::{routes, with_reflection};
pub use service::Users;
pub use store::{Added, Memory, Store, StoreError};
pub use user::{NewUser, User, UserState};

/// The Rust code that is made from the contract: package `shop.users.v1`.
///
/// `cargo doc -p lab-00-user-service --open` shows it. [`user_service_server`](pb::user_service_server) has the trait
/// that a server implements, [`user_service_client`](pb::user_service_client) has a client.
#[allow(missing_docs, clippy::all, rustdoc::all)]
pub mod pb {
    tonic::include_proto!("shop.users.v1");
}

/// The contract as data: an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
