// Step 2: totals, ends, limits and failures of pages.

use crate::{
    caller::{answers, fails, keeps_secrets, serve},
    shelf::{Ask, Shelf},
};
use testkit::{Passed, Trial};
use tonic::Code;

const SECTION: &str = "step-2-pages";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_total_is_of_all_pages() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("`total` is the number of users on all pages together, whichever page was asked for");
    let mut caller = serve(&trial, &Shelf::of(45)).await;

    trial.did("the store has 45 users");
    for (page, page_size) in [(1, 10), (5, 10), (1, 45), (1, 0), (2, 100)] {
        let answer = answers(&rule, "ListUsers", caller.list(&rule, page, page_size).await);
        let what = format!("page {page} of size {page_size} says a total of 45");
        rule.holds(answer.total == 45, what, format_args!("a total of {}", answer.total));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_the_end_is_an_empty_page() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A page past the end succeeds, has no users and the right total");

    let none = &[(0, 0), (1, 10)][..];
    for (count, pages) in [(40, &[(3, 20), (5, 10), (4, 20), (1000, 100)][..]), (0, none)] {
        trial.did(format!("the store has {count} users"));
        let mut caller = serve(&trial, &Shelf::of(count)).await;
        for (page, page_size) in pages {
            let what = format!("page {page} of size {page_size}");
            let answer = answers(&rule, &what, caller.list(&rule, *page, *page_size).await);
            let seen = format!("{} users, a total of {}", answer.users.len(), answer.total);
            let expected = format!("0 users, a total of {count}");
            rule.holds(seen == expected, format_args!("{what}: {expected}"), &seen);
        }
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn negative_numbers_are_refused() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A negative page or page_size is INVALID_ARGUMENT, whether the store is up or down");

    for (store, how) in [(Shelf::of(45), "up"), (Shelf::broken(), "down")] {
        trial.did(format!("the store is {how}"));
        let mut caller = serve(&trial, &store).await;
        for (page, page_size) in [(-1, 10), (1, -1), (0, -20), (-1, 0), (i32::MIN, i32::MIN)] {
            let what = format!("page {page} of size {page_size}");
            fails(&rule, &what, &caller.list(&rule, page, page_size).await, Code::InvalidArgument);
        }
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_numbers_have_an_answer() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Any page and page_size that are not negative have an answer: nothing overflows");
    let mut caller = serve(&trial, &Shelf::of(45)).await;

    for (page, page_size) in
        [(i32::MAX, i32::MAX), (i32::MAX, 1), (i32::MAX, 0), (1 << 26, 100), (1 << 30, 4)]
    {
        let what = format!("page {page} of size {page_size}");
        let answer = answers(&rule, &what, caller.list(&rule, page, page_size).await);
        let seen = format!("{} users, a total of {}", answer.users.len(), answer.total);
        rule.holds(seen == "0 users, a total of 45", format!("{what}: 0 users, a total of 45"), &seen);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_is_asked_for_one_page() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The store is never asked for more users than the page can have");

    for (page_size, most) in [(10, 10), (0, 20), (i32::MAX, 100)] {
        let store = Shelf::of(250);
        let mut caller = serve(&trial, &store).await;
        for page in [1, 3] {
            let what = format!("page {page} of size {page_size}");
            answers(&rule, &what, caller.list(&rule, page, page_size).await);
            let asked = store.most();
            let expected = format!("{what} takes {most} users from the store at most");
            rule.holds(asked <= most, expected, format_args!("it was asked for {asked}"));
        }
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_store_is_internal() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("When the store fails, ListUsers fails with INTERNAL: no total is made up, no page");

    for (ask, what) in [(Ask::Slice, "has lost its users"), (Ask::Count, "cannot count its users")] {
        trial.did(format!("the store {what}"));
        let mut caller = serve(&trial, &Shelf::failing(&[ask])).await;
        fails(&rule, "ListUsers", &caller.list(&rule, 1, 10).await, Code::Internal);
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_says_stays_inside() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("What a failing store says is for the operator: the caller of ListUsers reads none of it");

    // Whichever of the two is asked first, and also if only one of them is.
    for asks in [&[Ask::Slice, Ask::Count][..], &[Ask::Slice], &[Ask::Count]] {
        let mut caller = serve(&trial, &Shelf::failing(asks)).await;
        keeps_secrets(&rule, "ListUsers", caller.list(&rule, 1, 10).await);
    }
    trial.passed()
}
