// Step 2: what Watch tells, and when.

use crate::{
    streams::{flip_orders, reaches, until, words},
    support::{ORDERS, USERS, eventually, serve_board, tasks},
};
use lab_01_health_check::{ServingStatus, StatusBoard};
use testkit::{Passed, Trial};
use tokio::{join, task::spawn_blocking};
use tokio_stream::StreamExt as _;

const SECTION: &str = "step-2-watch";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_begins_with_the_status_now() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The first message of a Watch comes at once: the status now");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status(ORDERS, ServingStatus::NotServing);
    trial.did("users are set to SERVING, orders to NOT_SERVING, and then nothing changes any more");
    prober.watch(&rule, USERS).await.reads(&rule, "SERVING").await;
    prober.watch(&rule, ORDERS).await.reads(&rule, "NOT_SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_tells_each_change() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch goes on: it tells each change that it has the time to tell");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING");
    let mut watching = prober.watch(&rule, USERS).await;
    watching.reads(&rule, "NOT_SERVING").await;
    for status in [ServingStatus::Serving, ServingStatus::Unknown, ServingStatus::Serving] {
        board.set_status(USERS, status);
        trial.did(format!("users are set to {}", status.as_str_name()));
        watching.reads(&rule, status.as_str_name()).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_service_may_still_come() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch of an unknown service says SERVICE_UNKNOWN and stays open until it comes");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    let mut watching = prober.watch(&rule, USERS).await;
    watching.reads(&rule, "SERVICE_UNKNOWN").await;
    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING for the first time");
    watching.reads(&rule, "SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cleared_service_may_come_back() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch of a service that is cleared says SERVICE_UNKNOWN and stays open");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING");
    let mut watching = prober.watch(&rule, USERS).await;
    watching.reads(&rule, "SERVING").await;
    board.clear_status(USERS);
    trial.did("users are cleared");
    watching.reads(&rule, "SERVICE_UNKNOWN").await;
    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING again");
    watching.reads(&rule, "SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_status_is_not_told_twice() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch sends a message only when the status differs from the last one sent");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING");
    let mut watching = prober.watch(&rule, USERS).await;
    watching.reads(&rule, "SERVING").await;
    for _ in 0..20 {
        board.set_status(USERS, ServingStatus::Serving);
        // A round trip, so that a message too many has the time to be sent.
        prober.reads(&rule, USERS, "SERVING").await;
    }
    trial.did("users were set to SERVING 20 times more");
    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING");
    watching.reads(&rule, "NOT_SERVING").await;

    let mut statuses = board.watch(USERS);
    reaches(&rule, &mut statuses, ServingStatus::NotServing).await;
    board.set_status(USERS, ServingStatus::Serving);
    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("a stream has said NOT_SERVING; users are set to SERVING and back before it is read again");
    let ending = async {
        prober.reads(&rule, USERS, "NOT_SERVING").await;
        board.set_status(USERS, ServingStatus::Unknown);
        trial.did("users are set to UNKNOWN");
    };
    let (told, ()) = join!(until(&rule, &mut statuses, Some(ServingStatus::Unknown)), ending);
    let told: Vec<_> = std::iter::once(ServingStatus::NotServing).chain(told).collect();
    let repeats = told.windows(2).any(|pair| pair[0] == pair[1]);
    rule.holds(!repeats, "no status twice in a row", words(&told));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_hears_only_of_its_own_service() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch tells the status of its own service and of no other");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    board.set_status(ORDERS, ServingStatus::Serving);
    trial.did("users and orders are set to SERVING");
    let mut users = prober.watch(&rule, USERS).await;
    let mut orders = prober.watch(&rule, ORDERS).await;
    users.reads(&rule, "SERVING").await;
    orders.reads(&rule, "SERVING").await;
    for _ in 0..5 {
        board.set_status(ORDERS, ServingStatus::NotServing);
        trial.did("orders are set to NOT_SERVING");
        orders.reads(&rule, "NOT_SERVING").await;
        board.set_status(ORDERS, ServingStatus::Serving);
        trial.did("orders are set to SERVING");
        orders.reads(&rule, "SERVING").await;
    }
    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING: the first news for their Watch");
    users.reads(&rule, "NOT_SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_server_can_be_watched() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A Watch of \"\" follows the whole server");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    let mut watching = prober.watch(&rule, "").await;
    watching.reads(&rule, "SERVING").await;
    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING");
    watching.reads(&rule, "NOT_SERVING").await;
    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING");
    watching.reads(&rule, "SERVING").await;
    board.set_status(ORDERS, ServingStatus::NotServing);
    trial.did("orders are set to NOT_SERVING");
    watching.reads(&rule, "NOT_SERVING").await;
    board.clear_status(ORDERS);
    trial.did("orders are cleared");
    watching.reads(&rule, "SERVING").await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_of_fast_changes_arrives() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Fast changes may be skipped, but the last status always arrives");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::NotServing);
    let mut watching = prober.watch(&rule, USERS).await;
    watching.reads(&rule, "NOT_SERVING").await;
    let mut last = "NOT_SERVING";
    for round in 0..50 {
        // Three different statuses: the last of them is told once, and nothing is left to be told after it.
        let mut changes = [ServingStatus::Serving, ServingStatus::NotServing, ServingStatus::Unknown];
        changes.rotate_left(round % 3);
        let end = changes[2].as_str_name();
        trial.did(format!("users are set to three statuses in a row, {end} is the last"));
        let board = board.clone();
        let setting = spawn_blocking(move || {
            for status in changes {
                board.set_status(USERS, status);
            }
        });
        watching.reaches(&rule, last, end).await;
        rule.within("setting a status comes to its end", setting).await.expect("no panic in set_status");
        last = end;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_right_after_the_first_message_is_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("No change is lost between the first message of a Watch and the next");
    let board = StatusBoard::new();

    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to SERVING and StatusBoard::watch is called");
    let mut statuses = board.watch(USERS);
    let first = rule.within("the first status of the stream", statuses.next()).await;
    rule.holds(first == Some(ServingStatus::Serving), "SERVING first", words(first.as_slice()));
    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING before the stream is asked for its second status");
    let second = rule.within("NOT_SERVING from the stream", statuses.next()).await;
    rule.holds(second == Some(ServingStatus::NotServing), "NOT_SERVING next", words(second.as_slice()));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_falls_between_looking_and_waiting() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The last status arrives, at whatever moment it was set");
    let board = StatusBoard::new();
    let mut watched = board.watch(USERS);
    reaches(&rule, &mut watched, ServingStatus::ServiceUnknown).await;
    board.set_status(USERS, ServingStatus::NotServing);
    reaches(&rule, &mut watched, ServingStatus::NotServing).await;

    // A watcher that looks first and begins to listen afterwards is deaf for some nanoseconds. So here are many
    // rows of changes, of many lengths: the last change of one of them will fall into that time.
    for round in 0..500 {
        let mut statuses = [ServingStatus::Serving, ServingStatus::NotServing, ServingStatus::Unknown];
        statuses.rotate_left(round % 3);
        let [one, other, last] = statuses;
        let board = board.clone();
        let setting = spawn_blocking(move || {
            for _ in 0..50 + round * 37 % 100 {
                board.set_status(USERS, one);
                board.set_status(USERS, other);
            }
            board.set_status(USERS, last);
        });
        trial.did(format!("users are set to many statuses in a row, {} is the last", last.as_str_name()));
        reaches(&rule, &mut watched, last).await;
        rule.within("setting a status comes to its end", setting).await.expect("no panic in set_status");
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_watcher_misses_nothing_that_matters() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("However late a watcher reads: it blocks nobody, and the last status arrives");
    let board = StatusBoard::new();

    board.set_status(USERS, ServingStatus::Serving);
    let mut late = board.watch(USERS);
    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are SERVING, StatusBoard::watch is called, users are set to NOT_SERVING");
    let setting = spawn_blocking(move || flip_orders(&board, 5_000));
    let board =
        rule.within("5000 changes while nobody reads", setting).await.expect("no panic in set_status");
    trial.did("orders are changed 5000 times; only now the stream of the users is read");
    reaches(&rule, &mut late, ServingStatus::NotServing).await;

    let mut late = board.watch(ORDERS);
    let setting = spawn_blocking(move || flip_orders(&board, 5_000));
    let board =
        rule.within("5000 changes while nobody reads", setting).await.expect("no panic in set_status");
    board.set_status(ORDERS, ServingStatus::Unknown);
    trial.did("orders are watched, changed 5000 times and then set to UNKNOWN; only now the stream is read");
    reaches(&rule, &mut late, ServingStatus::Unknown).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_who_is_gone_is_forgotten() -> Passed {
    const WATCHERS: usize = 50;
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When a watcher has gone, its tasks end, at the latest with the next change");
    let board = StatusBoard::new();
    let (_server, mut prober) = serve_board(&trial, &board).await;

    board.set_status(USERS, ServingStatus::Serving);
    prober.reads(&rule, USERS, "SERVING").await;
    let before = tasks();
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut watching = prober.watch(&rule, USERS).await;
        watching.reads(&rule, "SERVING").await;
        watchers.push(watching);
    }
    drop(watchers);
    trial.did(format!("{WATCHERS} clients that watched users have gone"));

    let mut serving = true;
    let gone = "the tasks of the runtime are down to what they were before the watchers came";
    // Changes go on: a task may need one to notice that nobody listens to it.
    eventually(&rule, gone, async || {
        serving = !serving;
        board.set_status(USERS, if serving { ServingStatus::Serving } else { ServingStatus::NotServing });
        tasks() < before + WATCHERS / 2
    })
    .await;
    trial.passed()
}
