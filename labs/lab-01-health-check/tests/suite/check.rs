use lab_01_health_check as _;
use crate::check as _;
use testkit::{Passed, Trial};
#[tokio::test]
async fn works() -> Passed { let t = Trial::start("x"); t.did("x"); t.passed() }
#[tokio::test]
async fn fails() -> Passed { let t = Trial::start("x"); t.did("x"); t.rule("A rule").same(1, 2); t.passed() }
