//! The suite of the lab, run on its solution.

extern crate solution_00_user_service as lab_00_user_service;
include!("../../../labs/lab-00-user-service/tests/suite/main.rs");
