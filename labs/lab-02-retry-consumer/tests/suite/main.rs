// What lab-02 asks for, one module per theme. Each test stands for one rule of the docs; the rule's text, what right
// code does and what yours did are the failure's message. The tests look from outside: they give the code a handler
// of their own, ask the broker what is committed, and read the dead letters. All of it is in the timeline.

mod commit;
mod crash;
mod given_up;
mod headers;
mod letters;
mod policy;
mod rebalance;
mod retry;
mod scene;
mod scripted;
mod shutdown;
mod times;
