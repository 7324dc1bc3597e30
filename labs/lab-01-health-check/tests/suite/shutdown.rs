// Step 4: how a server goes away.

use crate::{
    serving::start,
    streams::{until, words},
    support::{ORDERS, Prober, USERS, connect, eventually, in_words, serve_board},
};
use lab_01_health_check::{Drained, ServingStatus, StatusBoard};
use std::{
    sync::{Arc, Barrier},
    time::{Duration, Instant},
};
use testkit::{Passed, Rule, Trial, grpc};
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tonic::{Code, Status};

const SECTION: &str = "step-4-shutdown";

/// Longer than any test: a server that waits for the end of it has not noticed that it need not.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// Waits until the server says that it goes away.
async fn says_so(prober: &mut Prober, rule: &Rule<'_>) {
    eventually(rule, "Check of \"\" comes to answer NOT_SERVING", async || {
        prober.check(rule, "").await == "NOT_SERVING"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lame_duck_takes_new_connections_and_says_not_serving() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("After the signal the server says NOT_SERVING first, and goes on taking connections");
    let mut serving = start(FOR_EVER, FOR_EVER).await;

    let mut early = connect(&trial, serving.addr).await;
    early.reads(&rule, USERS, "SERVING").await;
    serving.stop(&trial);
    says_so(&mut early, &rule).await;
    trial.did("a new connection is made");
    let mut late = connect(&trial, serving.addr).await;
    late.reads(&rule, USERS, "NOT_SERVING").await;
    late.reads(&rule, "", "NOT_SERVING").await;
    late.reads(&rule, ORDERS, "NOT_FOUND").await;

    trial.did("a call that is no health call is made");
    let call = serving.call_in_flight(&trial, &rule).await;
    serving.users.answer();
    answered(&rule, call).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_signal_it_serves_on() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Until the signal the server serves, however short the times of its shutdown are");
    let time = Duration::from_millis(50);
    let serving = start(time, time).await;

    let mut prober = connect(&trial, serving.addr).await;
    let call = serving.call_in_flight(&trial, &rule).await;
    let began = Instant::now();
    eventually(&rule, "Check answers for six times as long as the shutdown may take", async || {
        prober.reads(&rule, USERS, "SERVING").await;
        began.elapsed() > time * 12
    })
    .await;
    connect(&trial, serving.addr).await.reads(&rule, USERS, "SERVING").await;
    serving.users.answer();
    answered(&rule, call).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lame_duck_lasts_its_time() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The server stops accepting when the time of lame_duck is over, and not before");
    let lame_duck = Duration::from_millis(250);
    let mut serving = start(lame_duck, FOR_EVER).await;

    connect(&trial, serving.addr).await.reads(&rule, USERS, "SERVING").await;
    let stopped = serving.stop(&trial);
    serving.refuses(&trial, &rule).await;
    let lasted = stopped.elapsed();
    rule.holds(lasted >= lame_duck, "connections are taken for 250 ms at least", in_words(lasted));
    serving.ends(&rule, Drained::Complete).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_brings_serving_back() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("After shut_down every service is NOT_SERVING, and nothing changes that");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status(ORDERS, ServingStatus::Serving);
    board.clone().shut_down();
    trial.did("users and orders are set to SERVING, then the board is shut down");
    prober.reads(&rule, USERS, "NOT_SERVING").await;
    prober.reads(&rule, "", "NOT_SERVING").await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status("shop.v1.Late", ServingStatus::Serving);
    board.clear_status(ORDERS);
    board.shut_down();
    trial.did("all too late: users and a new service are set to SERVING, orders are cleared");
    prober.reads(&rule, USERS, "NOT_SERVING").await;
    prober.reads(&rule, ORDERS, "NOT_SERVING").await;
    prober.reads(&rule, "shop.v1.Late", "NOT_FOUND").await;
    prober.reads(&rule, "", "NOT_SERVING").await;
    let listed =
        prober.list(&rule).await.map(|statuses| statuses.into_values().collect::<Vec<_>>().join(", "));
    let seen = listed.unwrap_or_else(|failure| failure);
    rule.holds(seen == "NOT_SERVING, NOT_SERVING, NOT_SERVING", "List has three times NOT_SERVING", &seen);

    let empty = StatusBoard::new();
    empty.shut_down();
    let seen = empty.status("").map_or("no status", |status| status.as_str_name());
    rule.holds(seen == "NOT_SERVING", "\"\" is NOT_SERVING also on an empty board", seen);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_watch_says_not_serving_and_ends() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch that begins after shut_down says NOT_SERVING and ends");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    board.shut_down();
    trial.did("users are set to SERVING, then the board is shut down");
    for service in [USERS, "", ORDERS] {
        let mut watching = prober.watch(&rule, service).await;
        watching.reads(&rule, "NOT_SERVING").await;
        watching.ends(&rule).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_watch_is_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("On shutdown each open Watch says NOT_SERVING and ends, whatever its service");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING");
    let mut users = prober.watch(&rule, USERS).await;
    users.reads(&rule, "SERVING").await;
    let mut server = prober.watch(&rule, "").await;
    server.reads(&rule, "SERVING").await;
    let mut unknown = prober.watch(&rule, ORDERS).await;
    unknown.reads(&rule, "SERVICE_UNKNOWN").await;
    board.shut_down();
    trial.did("the board is shut down");
    for mut watching in [users, server, unknown] {
        watching.reads(&rule, "NOT_SERVING").await;
        watching.ends(&rule).await;
    }
    trial.passed()
}

#[tokio::test]
async fn a_late_reader_is_told_too() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("However late a watcher reads: after shut_down its stream says NOT_SERVING and ends");
    // One stream is not read before the shutdown, and more is to be told than a small buffer holds.
    for changes in 0..6 {
        let board = StatusBoard::new();
        board.set_status(USERS, ServingStatus::Serving);
        let mut late = board.watch(USERS);
        for change in 0..changes {
            let serving = change % 2 == 1;
            board.set_status(USERS, if serving { ServingStatus::Serving } else { ServingStatus::NotServing });
            // Whoever forwards the news may do it now.
            for _ in 0..20 {
                yield_now().await;
            }
        }
        board.shut_down();
        trial.did(format!("a stream is not read, users change {changes} times, the board is shut down"));
        let told = until(&rule, &mut late, None).await;
        rule.holds(
            told.last() == Some(&ServingStatus::NotServing),
            "NOT_SERVING is the last that the stream says",
            words(&told),
        );
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_that_is_under_way_comes_too_late() -> Passed {
    const NAMES: usize = 300;
    let trial = Trial::start(SECTION);
    let rule = trial.rule("After shut_down nothing is SERVING, also if a status was being set meanwhile");
    let names: Arc<Vec<_>> = Arc::new((0..NAMES).map(|name| format!("shop.v1.Service{name}")).collect());

    // Whoever looks whether the board is shut down, and sets the status afterwards, can be overtaken in between.
    for round in 0..200 {
        let board = StatusBoard::new();
        for name in &*names {
            board.set_status(name, ServingStatus::NotServing);
        }
        let together = Arc::new(Barrier::new(3));
        let mut threads = JoinSet::new();
        for half in 0..2 {
            let (board, together, names) = (board.clone(), Arc::clone(&together), Arc::clone(&names));
            threads.spawn_blocking(move || {
                together.wait();
                for name in names.iter().skip(half).step_by(2) {
                    board.set_status(name, ServingStatus::Serving);
                }
            });
        }
        let (stopping, halfway) = (board.clone(), Arc::clone(&names));
        threads.spawn_blocking(move || {
            together.wait();
            // In the midst of it, each time at another place. The limit is for a board that never says SERVING.
            let place = &halfway[round * 7 % (NAMES - 20)];
            let there = || stopping.status(place) == Some(ServingStatus::Serving);
            let _ = (0..100_000).any(|_| there());
            stopping.shut_down();
        });
        rule.within("every thread comes to its end", threads.join_all()).await;
        let serving: Vec<_> =
            board.statuses().into_iter().filter(|(_, status)| *status == ServingStatus::Serving).collect();
        rule.holds(
            serving.is_empty(),
            format_args!("two threads set {NAMES} services to SERVING, a third shuts down: none is SERVING"),
            format_args!(
                "{} of them are, after {round} boards that went well: {:?} …",
                serving.len(),
                serving.first()
            ),
        );
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_watches_hold_nothing_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("On shutdown each open Watch ends, so that the drain need not wait for it");
    let mut serving = start(Duration::ZERO, FOR_EVER).await;

    serving.board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING");
    let mut prober = connect(&trial, serving.addr).await;
    let mut users = prober.watch(&rule, USERS).await;
    users.reads(&rule, "NOT_SERVING").await;
    let mut server = prober.watch(&rule, "").await;
    server.reads(&rule, "NOT_SERVING").await;
    serving.stop(&trial);
    // Both have said NOT_SERVING already.
    users.ends(&rule).await;
    server.ends(&rule).await;
    serving.ends(&rule, Drained::Complete).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_flight_are_finished() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Calls in flight are finished before serve returns, and then it returns at once");
    let mut serving = start(Duration::ZERO, FOR_EVER).await;

    let call = serving.call_in_flight(&trial, &rule).await;
    serving.stop(&trial);
    serving.refuses(&trial, &rule).await;
    let opened = Instant::now();
    serving.users.answer();
    trial.did("the call in flight may end now");
    answered(&rule, call).await;
    let ended = serving.ends(&rule, Drained::Complete).await;
    rule.holds(
        ended >= opened,
        "serve returns after the call has ended",
        "it returned while the call was in flight",
    );
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_has_its_limit() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Calls in flight may take the time of drain, and no longer");
    let drain = Duration::from_millis(250);
    let mut serving = start(Duration::ZERO, drain).await;

    let _call = serving.call_in_flight(&trial, &rule).await;
    trial.did("this call will never end");
    let stopped = serving.stop(&trial);
    let ended = serving.ends(&rule, Drained::TimedOut).await;
    let lasted = ended.saturating_duration_since(stopped);
    rule.holds(lasted >= drain, "serve returns 250 ms after the signal or later", in_words(lasted));

    let mut serving = start(Duration::ZERO, Duration::ZERO).await;
    let _call = serving.call_in_flight(&trial, &rule).await;
    trial.did("the same, with no time to drain at all");
    serving.stop(&trial);
    serving.ends(&rule, Drained::TimedOut).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_begins_after_the_lame_duck() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The time of drain begins when the time of lame_duck is over");
    let time = Duration::from_millis(150);
    let mut serving = start(time, time).await;

    let call = serving.call_in_flight(&trial, &rule).await;
    trial.did("this call will not end by itself");
    let stopped = serving.stop(&trial);
    let ended = serving.ends(&rule, Drained::TimedOut).await;
    let lasted = ended.saturating_duration_since(stopped);
    rule.holds(
        lasted >= time * 2,
        "serve returns 150 ms and 150 ms after the signal or later",
        in_words(lasted),
    );
    drop(call);
    trial.passed()
}

async fn answered(rule: &Rule<'_>, call: JoinHandle<Result<(), Status>>) {
    let answer = rule.within("an answer to the call in flight", call).await.expect("no panic in the client");
    let code = answer.map_or_else(|status| status.code(), |()| Code::Ok);
    rule.holds(code == Code::Ok, "the call in flight ends with OK", grpc::name(code));
}
