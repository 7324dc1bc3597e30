// What lab-00 asks for, a module or two per step. Each test stands for one rule of the README or of the contract; the
// rule's text, what right code does and what yours did are the failure's message. The tests look from outside: they
// call your server as a client of any language would, they are a server to your client, and they read and write your
// messages as bytes. So they compile whatever you do to the contract.

mod caller;
mod client;
mod codec;
mod contract;
mod create;
mod descriptors;
mod evolve;
mod fields;
mod get;
mod limits;
mod list;
mod messages;
mod pages;
mod scripted;
mod shelf;
