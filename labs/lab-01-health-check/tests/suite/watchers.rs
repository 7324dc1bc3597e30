// Step 2: those who watch. They are many, and some of them are late.

use crate::{streams::reaches, support::USERS};
use lab_01_health_check::{ServingStatus, StatusBoard};
use testkit::{Passed, Trial};
use tokio::task::yield_now;

const SECTION: &str = "step-2-watch";

/// On a runtime of one thread, lets every other task go on until it waits for something.
async fn turns() {
    for _ in 0..100 {
        yield_now().await;
    }
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
        reaches(&rule, statuses, ServingStatus::Serving).await;
    }
    turns().await;

    board.set_status(USERS, ServingStatus::NotServing);
    trial.did("users are set to NOT_SERVING, once");
    for (number, statuses) in (1..).zip(&mut watchers) {
        trial.did(format!("stream {number} is read"));
        reaches(&rule, statuses, ServingStatus::NotServing).await;
    }
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
        reaches(&rule, &mut statuses, ServingStatus::Serving).await;
    }
    trial.passed()
}
