// Step 1: what Check and List answer.

use crate::support::{ORDERS, USERS, serve_board};
use lab_01_health_check::{LIST_LIMIT, ServingStatus, StatusBoard};
use std::{
    collections::BTreeMap,
    sync::{Arc, Barrier},
};
use testkit::{Passed, Trial};
use tokio::task::JoinSet;

const SECTION: &str = "step-1-check-and-list";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_has_the_status_that_was_set_last() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Check answers with the status that was set last");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING");
    prober.reads(&rule, USERS, "NOT_SERVING").await;

    board.clone().set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING, through a clone of the board");
    prober.reads(&rule, USERS, "SERVING").await;

    board.set_status(USERS, ServingStatus::Unknown);
    trial.did("users are set to UNKNOWN");
    prober.reads(&rule, USERS, "UNKNOWN").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_service_is_not_found() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Check of a service that is not on the board fails with NOT_FOUND");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING, orders are never mentioned");
    prober.reads(&rule, ORDERS, "NOT_FOUND").await;
    prober.reads(&rule, USERS, "SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cleared_service_is_unknown_again() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A cleared service is as unknown as one that was never there");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::NotServing);
    board.set_status(ORDERS, ServingStatus::Serving);
    board.clear_status(USERS);
    trial.did("users are set to NOT_SERVING, orders to SERVING, users are cleared");
    prober.reads(&rule, USERS, "NOT_FOUND").await;
    prober.reads(&rule, ORDERS, "SERVING").await;
    prober.reads(&rule, "", "SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_server_serves_when_every_service_does() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("\"\" is SERVING exactly when every service on the board is SERVING");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    trial.did("the board is empty: nothing is broken");
    prober.reads(&rule, "", "SERVING").await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status(ORDERS, ServingStatus::NotServing);
    trial.did("users are set to SERVING, orders to NOT_SERVING");
    prober.reads(&rule, "", "NOT_SERVING").await;

    board.set_status(ORDERS, ServingStatus::Serving);
    trial.did("orders are set to SERVING");
    prober.reads(&rule, "", "SERVING").await;

    board.set_status(USERS, ServingStatus::Unknown);
    trial.did("users are set to UNKNOWN, which is not SERVING");
    prober.reads(&rule, "", "NOT_SERVING").await;

    // Whoever counts the services that are down counts this one once.
    board.set_status(USERS, ServingStatus::NotServing);
    board.set_status(USERS, ServingStatus::NotServing);
    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to NOT_SERVING twice, and then to SERVING");
    prober.reads(&rule, "", "SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_server_is_never_set() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Setting or clearing \"\" does nothing: its status is derived");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status("", ServingStatus::NotServing);
    trial.did("users are set to SERVING, and then \"\" to NOT_SERVING");
    prober.reads(&rule, "", "SERVING").await;

    board.set_status("", ServingStatus::Serving);
    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("\"\" is set to SERVING, and then users to NOT_SERVING");
    prober.reads(&rule, "", "NOT_SERVING").await;

    board.clear_status("");
    trial.did("\"\" is cleared");
    prober.reads(&rule, "", "NOT_SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_has_every_service_and_the_whole_server() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("List answers with every service, and with the whole server under \"\"");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status(ORDERS, ServingStatus::NotServing);
    trial.did("users are set to SERVING, orders to NOT_SERVING");
    let expected = format!("\"\": NOT_SERVING, {ORDERS:?}: NOT_SERVING, {USERS:?}: SERVING");
    let seen = told(prober.list(&rule).await);
    rule.holds(seen == expected, expected, &seen);

    board.set_status(ORDERS, ServingStatus::Unknown);
    trial.did("orders are set to UNKNOWN");
    let expected = format!("\"\": NOT_SERVING, {ORDERS:?}: UNKNOWN, {USERS:?}: SERVING");
    let seen = told(prober.list(&rule).await);
    rule.holds(seen == expected, expected, &seen);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_services_are_listed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("List answers with up to 100 services, and \"\" does not count");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    set_many(&board, LIST_LIMIT);
    trial.did("100 services are set to SERVING");
    let seen = entries(prober.list(&rule).await);
    rule.holds(seen == "101 entries", "List answers with 101 entries: 100 services and \"\"", seen);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_hundred_services_are_too_many() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("List of more than 100 services fails with RESOURCE_EXHAUSTED");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    set_many(&board, LIST_LIMIT + 1);
    trial.did("101 services are set to SERVING");
    let seen = entries(prober.list(&rule).await);
    rule.holds(seen.starts_with("RESOURCE_EXHAUSTED"), "List fails with RESOURCE_EXHAUSTED", seen);
    trial.passed()
}

fn told(list: Result<BTreeMap<String, String>, String>) -> String {
    let entry = |(name, status)| format!("{name:?}: {status}");
    list.map_or_else(|failure| failure, |list| list.into_iter().map(entry).collect::<Vec<_>>().join(", "))
}

fn set_many(board: &StatusBoard, count: usize) {
    for number in 1..=count {
        board.set_status(&format!("shop.v1.Service{number}"), ServingStatus::Serving);
    }
}

fn entries(list: Result<BTreeMap<String, String>, String>) -> String {
    list.map_or_else(|failure| failure, |statuses| format!("{} entries", statuses.len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_threads_may_set_at_once() -> Passed {
    const THREADS: usize = 4;
    const NAMES: usize = 16;
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Statuses that are set from many threads at once are all kept");
    let board = StatusBoard::new();

    // Whoever reads the board, changes a copy and writes it back loses what others wrote in between. That takes
    // two threads at the same instant, so they get many chances.
    for round in 1..=200 {
        let status = if round % 2 == 0 { ServingStatus::Serving } else { ServingStatus::NotServing };
        let together = Arc::new(Barrier::new(THREADS));
        let mut threads = JoinSet::new();
        for thread in 0..THREADS {
            let (board, together) = (board.clone(), Arc::clone(&together));
            threads.spawn_blocking(move || {
                let names: Vec<_> =
                    (0..NAMES).map(|name| format!("shop.v1.Service{thread}x{name}")).collect();
                together.wait();
                for name in &names {
                    board.set_status(name, status);
                }
            });
        }
        rule.within("every thread comes to its end", threads.join_all()).await;

        let kept =
            board.statuses().iter().filter(|(name, seen)| !name.is_empty() && **seen == status).count();
        rule.holds(
            kept == THREADS * NAMES,
            format_args!(
                "{THREADS} threads set {NAMES} services each to {}: 64 on the board",
                status.as_str_name()
            ),
            format_args!(
                "{kept} of them; the test had tried this {round} times, since it takes a coincidence"
            ),
        );
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_is_seen_as_soon_as_it_is_set() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When a method of the board returns, every clone shows what it did");
    let board = StatusBoard::new();
    let clone = board.clone();
    let seen = |expected: Option<ServingStatus>, round: usize| {
        let words = |status: Option<ServingStatus>| status.map_or("no status", |status| status.as_str_name());
        let (one, listed) = (clone.status(USERS), clone.statuses().get(USERS).copied());
        rule.holds(
            one == expected && listed == expected,
            format_args!("a clone shows {} at once", words(expected)),
            format_args!(
                "status: {}, statuses: {}, after {round} times that went well",
                words(one),
                words(listed)
            ),
        );
    };
    // Whoever leaves the work to somebody else may be quick enough once, but not every time.
    for round in 0..500 {
        board.set_status(USERS, ServingStatus::Serving);
        seen(Some(ServingStatus::Serving), round);
        board.clear_status(USERS);
        seen(None, round);
    }
    trial.passed()
}
