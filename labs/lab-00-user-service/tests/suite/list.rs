// Step 2: which users are on a page.

use crate::{
    caller::{Caller, answers, serve},
    shelf::Shelf,
};
use testkit::{Passed, Rule, Trial};

const SECTION: &str = "step-2-pages";

/// A page must have just these users, by number, in this order.
async fn has(
    rule: &Rule<'_>,
    caller: &mut Caller,
    (page, page_size): (i32, i32),
    numbers: std::ops::RangeInclusive<usize>,
) {
    let what = format!("page {page} of size {page_size}");
    let answer = answers(rule, &what, caller.list(rule, page, page_size).await);
    let expected: Vec<_> = numbers.map(|number| format!("u{number:03}")).collect();
    let seen: Vec<_> = answer.users.into_iter().map(|user| user.id).collect();
    rule.holds(seen == expected, format_args!("{what} has {}", in_words(&expected)), in_words(&seen));
}

/// Ids for a reader, who does not want to read a hundred of them.
fn in_words(ids: &[String]) -> String {
    match ids {
        [] => "no user".to_owned(),
        [.., last] if ids.len() > 3 => {
            format!("{} users: {}, {} … {last}", ids.len(), ids[0], ids[1])
        }
        _ => ids.join(", "),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_has_the_first_users() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Pages are counted from 1");
    let mut caller = serve(&trial, &Shelf::of(45)).await;

    trial.did("the store has 45 users, u001 to u045");
    has(&rule, &mut caller, (1, 10), 1..=10).await;
    has(&rule, &mut caller, (2, 10), 11..=20).await;
    has(&rule, &mut caller, (3, 1), 3..=3).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_together_have_every_user_once() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("Who reads page after page gets every user once, in order; the last page may be short");
    let mut caller = serve(&trial, &Shelf::of(45)).await;

    trial.did("the store has 45 users, u001 to u045");
    for page_size in [10, 7, 45, 44] {
        let mut seen = Vec::new();
        for page in 1.. {
            let answer = answers(&rule, "ListUsers", caller.list(&rule, page, page_size).await);
            let more = !answer.users.is_empty();
            seen.extend(answer.users.into_iter().map(|user| user.id));
            // A page for each user would already be too many.
            if !more || page == 50 {
                break;
            }
        }
        let expected: Vec<_> = (1..=45).map(|number| format!("u{number:03}")).collect();
        let in_pages = format!("45 users on pages of {page_size}: u001, u002 … u045");
        rule.holds(seen == expected, in_pages, in_words(&seen));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_zero_is_the_first() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Page 0 is the first page: a client that does not say which gets it");
    let mut caller = serve(&trial, &Shelf::of(45)).await;

    has(&rule, &mut caller, (0, 10), 1..=10).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn size_zero_is_twenty() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A page_size of 0 means 20, on every page");
    let mut caller = serve(&trial, &Shelf::of(45)).await;

    trial.did("the store has 45 users, u001 to u045");
    has(&rule, &mut caller, (1, 0), 1..=20).await;
    has(&rule, &mut caller, (2, 0), 21..=40).await;
    has(&rule, &mut caller, (0, 0), 1..=20).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_has_more_than_a_hundred() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A page_size above 100 means 100; it is no error");
    let mut caller = serve(&trial, &Shelf::of(250)).await;

    trial.did("the store has 250 users, u001 to u250");
    has(&rule, &mut caller, (1, 99), 1..=99).await;
    for page_size in [100, 101, 1000, i32::MAX] {
        has(&rule, &mut caller, (1, page_size), 1..=100).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_were_cut_leave_nobody_out() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When 1000 means 100, page 2 begins after 100 users, not after 1000");
    let mut caller = serve(&trial, &Shelf::of(250)).await;

    trial.did("the store has 250 users, u001 to u250");
    has(&rule, &mut caller, (2, 1000), 101..=200).await;
    has(&rule, &mut caller, (3, 101), 201..=250).await;
    trial.passed()
}
