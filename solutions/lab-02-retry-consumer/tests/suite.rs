//! The lab's suite, over the solution.

extern crate solution_02_retry_consumer as lab_02_retry_consumer;
include!("../../../labs/lab-02-retry-consumer/tests/suite/main.rs");
