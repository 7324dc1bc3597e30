// Step 1: one user.

use crate::{
    caller::{answers, fails, keeps_secrets, serve},
    shelf::{Ask, Shelf, person},
};
use lab_00_user_service::User;
use testkit::{Passed, Trial};
use tonic::Code;

const SECTION: &str = "step-1-one-user";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_is_told_as_the_contract_says() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("GetUser answers with the user of the id: id, name and email, each in its own field");
    let mut caller = serve(&trial, &Shelf::of(3)).await;

    for wanted in (1..=3).map(person) {
        let user = answers(&rule, "GetUser", caller.get(&rule, &wanted.id).await);
        let expected = format!("id {:?}, name {:?}, email {:?}", wanted.id, wanted.name, wanted.email);
        let seen = format!("id {:?}, name {:?}, email {:?}", user.id, user.name, user.email);
        rule.holds(seen == expected, expected, &seen);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_nobody_knows_is_not_found() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A well-formed id that nobody has is NOT_FOUND");
    let mut caller = serve(&trial, &Shelf::of(3)).await;

    for id in ["u004", "u00", "nobody", "-"] {
        fails(&rule, &format!("GetUser of {id:?}"), &caller.get(&rule, id).await, Code::NotFound);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_id_is_an_invalid_argument() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An id that nobody can have is INVALID_ARGUMENT, not NOT_FOUND");
    let mut caller = serve(&trial, &Shelf::of(3)).await;

    let long = "a".repeat(37);
    for id in ["", "U001", "u 1", " u001", "u001 ", "u001\n", "u_1", "u/1", "u.1", "ü1", "١", "u१", &long]
    {
        fails(&rule, &format!("GetUser of {id:?}"), &caller.get(&rule, id).await, Code::InvalidArgument);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_well_formed_id_is_looked_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("1 to 36 letters from a to z, digits and hyphens, in any order, are a well-formed id");
    let longest = "z".repeat(36);
    let ids = ["-", "--9", "0", "a", "azbycx-0123456789", "u1-", "z", &longest];
    let users = ids.map(|id| User { id: id.to_owned(), ..person(1) });
    let mut caller = serve(&trial, &Shelf::with(users.into())).await;

    for id in ids {
        let user = answers(&rule, &format!("GetUser of {id:?}"), caller.get(&rule, id).await);
        rule.same(id, &user.id);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_checked_before_the_store_is_asked() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("INVALID_ARGUMENT is about the request alone: it comes also while the store is down");
    let mut caller = serve(&trial, &Shelf::broken()).await;

    trial.did("the store is down");
    for id in ["", "U001"] {
        fails(&rule, &format!("GetUser of {id:?}"), &caller.get(&rule, id).await, Code::InvalidArgument);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_store_is_internal() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When the store fails, GetUser fails with INTERNAL");
    let mut caller = serve(&trial, &Shelf::failing(&[Ask::Get])).await;

    trial.did("the store is down");
    fails(&rule, "GetUser", &caller.get(&rule, "u001").await, Code::Internal);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_says_stays_inside() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("What a failing store says is for the operator: the caller of GetUser reads none of it");
    let mut caller = serve(&trial, &Shelf::failing(&[Ask::Get])).await;

    trial.did("the store is down, and says where it is and who was to log in");
    keeps_secrets(&rule, "GetUser", caller.get(&rule, "u001").await);
    trial.passed()
}
