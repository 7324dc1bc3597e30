//! The suite of the lab, run on its solution.

extern crate solution_04_interceptors as lab_04_interceptors;
include!("../../../labs/lab-04-interceptors/tests/suite/main.rs");
