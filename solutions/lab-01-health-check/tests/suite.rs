//! The suite of the lab, run on its solution.

extern crate solution_01_health_check as lab_01_health_check;
include!("../../../labs/lab-01-health-check/tests/suite/main.rs");
