//! The suite of the lab, run on its solution.

extern crate solution_03_service_discovery as lab_03_service_discovery;
include!("../../../labs/lab-03-service-discovery/tests/suite/main.rs");
