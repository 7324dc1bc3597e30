// What suites rely on, the same on every broker. Run on the embedded one and on Apache Kafka by `cargo xtask verify`.

mod cleaning;
mod commits;
mod crash;
mod differences;
mod faults;
mod membership;
mod pause;
mod records;
mod refusals;
mod support;
