// What lab-04 asks for. Each test stands for one rule of the README; the rule's text, what right code does and what
// yours did are the failure's message. Some tests put a layer around a service of their own and call that; the others
// are clients and servers of real connections. What an access log must say stands in the test, as a snapshot.

#[macro_use]
mod snapshot;

mod auth;
mod calls;
mod client_log;
mod dry_run;
mod ends;
mod ids;
mod inner;
mod logbook;
mod messages;
mod outgoing;
mod overseen;
mod record;
mod scripted;
mod server_log;
mod whole;
