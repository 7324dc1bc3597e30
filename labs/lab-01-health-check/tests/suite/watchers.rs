// Step 2: those who watch. They are many, they are late, and one day they are gone.

use crate::support::{USERS, eventually, serve_board};
use lab_01_health_check::{ServingStatus, StatusBoard, StatusStream};
use testkit::{Passed, Rule, Trial};
use tokio::{runtime::Handle, task::yield_now};
use tokio_stream::StreamExt as _;

const SECTION: &str = "step-2-watch";

/// On a runtime of one thread, lets every other task go on until it waits for something.
async fn turns() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// The next status of a stream, if it comes without anything being done for it.
async fn already_there(statuses: &mut StatusStream) -> Option<ServingStatus> {
    tokio::select! {
        biased;
        status = statuses.next() => status,
        () = turns() => None,
    }
}

/// Reads on until this status. It must come, and no status may come twice in a row.
async fn reaches(
    rule: &Rule<'_>,
    statuses: &mut StatusStream,
    mut last: Option<ServingStatus>,
    wanted: ServingStatus,
) {
    let expected = format!("the stream comes to say {}", wanted.as_str_name());
    while last != Some(wanted) {
        let next = rule.within(&expected, statuses.next()).await;
        rule.holds(next.is_some(), &expected, "the stream ended without it");
        differs(rule, last, next);
        last = next;
    }
}

fn differs(rule: &Rule<'_>, last: Option<ServingStatus>, next: Option<ServingStatus>) {
    let seen = next.map_or("nothing", |status| status.as_str_name());
    let expected = "a status only when it differs from the one before";
    rule.holds(last.is_none() || last != next, expected, format_args!("{seen} twice in a row"));
}

#[tokio::test]
async fn each_watcher_hears_of_its_change() -> Passed {
    const WATCHERS: usize = 10;
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Each watcher hears of its change, however many watch");
    let board = StatusBoard::new();
    board.set_status(USERS, ServingStatus::Serving);
    let mut watchers: Vec<_> = (0..WATCHERS).map(|_| board.watch(USERS)).collect();
    trial.did(format!("users are SERVING, and {WATCHERS} streams watch them"));
    for statuses in &mut watchers {
        reaches(&rule, statuses, None, ServingStatus::Serving).await;
    }
    turns().await;

    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING, once");
    for (number, statuses) in (1..).zip(&mut watchers) {
        trial.did(format!("stream {number} is read"));
        reaches(&rule, statuses, Some(ServingStatus::Serving), ServingStatus::NotServing).await;
    }
    trial.passed()
}

#[tokio::test]
async fn a_status_that_came_back_is_no_news() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A watcher is told a status only when it differs from the last that it was told");
    let board = StatusBoard::new();
    board.set_status(USERS, ServingStatus::Serving);
    let mut statuses = board.watch(USERS);
    reaches(&rule, &mut statuses, None, ServingStatus::Serving).await;
    trial.did("users are SERVING, and a stream that watches them has said so");
    turns().await;

    board.set_status(USERS, ServingStatus::NotServing);
    board.set_status(USERS, ServingStatus::Serving);
    trial.did("users are set to NOT_SERVING and back to SERVING, and only now the stream is read on");
    // Both or neither may come: nobody promises every change.
    let mut last = Some(ServingStatus::Serving);
    while let Some(next) = already_there(&mut statuses).await {
        trial.did(format!("the stream says {}", next.as_str_name()));
        differs(&rule, last, Some(next));
        last = Some(next);
    }
    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING");
    reaches(&rule, &mut statuses, last, ServingStatus::NotServing).await;
    trial.passed()
}

#[tokio::test]
async fn a_late_reader_gets_the_last_status() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The last status arrives, also when every change came before the reader");
    for changes in [2, 3, 4, 40] {
        let board = StatusBoard::new();
        let mut statuses = board.watch(USERS);
        turns().await;
        // Whatever stands between the board and the reader gets its turn after each change, and fills up.
        for change in 1..changes {
            let odd = change % 2 == 1;
            board.set_status(USERS, if odd { ServingStatus::NotServing } else { ServingStatus::Unknown });
            turns().await;
        }
        board.set_status(USERS, ServingStatus::Serving);
        turns().await;
        trial.did(format!(
            "users are watched and set {changes} times, with a pause after each, last to SERVING"
        ));
        trial.did("only now the stream is read");
        reaches(&rule, &mut statuses, None, ServingStatus::Serving).await;
    }
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

/// How many tasks the runtime of this test has now.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}
