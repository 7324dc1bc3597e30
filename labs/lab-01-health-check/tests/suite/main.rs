// What lab-01 asks for, one module per step. Each test stands for one rule of the README; the rule's text, what
// right code does and what yours did are the failure's message. The tests look from outside: most of them are
// clients of a real server, and whatever crosses the wire is in the timeline.

mod check;
mod dependency;
mod keeping;
mod readiness;
mod routes;
mod serving;
mod shutdown;
mod streams;
mod support;
mod watch;
mod watchers;
