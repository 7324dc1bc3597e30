//! What stands around every call: a request id, an access log, who may do what, and what travels on to the next
//! server.
//!
//! # Scope
//!
//! - [`RequestIdLayer`]: every call has an id, on its way in, back, and on.
//! - [`AccessLogLayer`]: one [`Record`] for each call, at its true end, on the server's side and on the client's.
//! - [`AuthLayer`]: who is calling, and may they?
//! - [`read_dry_run`], [`tell_dry_run`]: calls that only try. They are interceptors of tonic's.
//! - [`inbound`] and [`outbound`]: all of that in the right order, before a server and behind a client.
//!
//! # Not in scope
//!
//! - Where records go. [`Sink`] is a function; a program decides.
//! - Tokens worth the name. [`Callers`] is a list of fixed secrets; a real one would verify signatures or ask.
//! - Traces. A request id finds the log lines of a call; W3C Trace Context also says which call made which.
//!
//! # Words
//!
//! A *layer* (tower's) wraps a service and sees all of a call: request, reply, both bodies. An *interceptor* (tonic's)
//! sees a request's metadata and extensions before the call, and nothing else. *Extensions* are values that travel
//! with a request or a reply inside one process; *metadata* travels on the wire.

// Until all steps are written some of the given code has no caller, and no parameter a use.
#![allow(dead_code, unused_variables, unused_mut)]
#![warn(missing_docs)]

mod access_log;
mod auth;
mod book;
mod context;
mod dry_run;
mod ledger;
mod messages;
mod record;
mod request_id;
mod stack;

pub use access_log::{AccessLog, AccessLogLayer};
pub use auth::{Auth, AuthLayer, Caller, Callers, Right, right_for};
pub use book::{Book, Session};
pub use context::Context;
pub use dry_run::{DRY_RUN, DryRun, read_dry_run, tell_dry_run};
pub use ledger::Ledger;
pub use messages::MessageCounter;
pub use record::{Record, Side, Sink};
pub use request_id::{REQUEST_ID, RequestId, RequestIdLayer, RequestIds};
pub use stack::{Stack, inbound, outbound};
