//! Step 1.

use lab_{{number}}_{{crate}}::add;
use testkit::{Passed, Trial};

const SECTION: &str = "step-1-add";

#[tokio::test]
async fn two_numbers_are_added() -> Passed {
    let trial = Trial::start(SECTION);
    trial.rule("Two numbers are added").same(Some(5), add(2, 3));
    trial.passed()
}

#[tokio::test]
async fn a_sum_that_does_not_fit_is_none() -> Passed {
    let trial = Trial::start(SECTION);
    trial.rule("A sum that does not fit is none").same(None, add(u32::MAX, 1));
    trial.passed()
}
