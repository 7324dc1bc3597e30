//! Code under test on a thread of its own.

use std::{
    future::{self, pending},
    sync::mpsc,
    thread,
    time::Duration,
};
use testkit::{Running, Trial, bound};
use tokio::{sync::oneshot, time::Instant};

/// The text of the panic with which a test ends.
async fn failure_of(test: impl Future<Output = ()> + Send + 'static) -> String {
    let payload = tokio::spawn(test).await.expect_err("the rule is broken").into_panic();
    *payload.downcast::<String>().expect("a text")
}

#[tokio::test]
async fn what_happens_while_it_runs_is_returned() {
    let trial = Trial::start("step");
    let rule = trial.rule("It runs");
    let (sender, receiver) = oneshot::channel();
    let mut running = Running::start("run", || async {
        sender.send(1).unwrap();
        pending::<()>().await;
    });
    assert_eq!(running.until(&rule, "a number", receiver).await, Ok(1));
}

#[tokio::test]
async fn its_result_is_returned() {
    let trial = Trial::start("step");
    let rule = trial.rule("It ends");
    assert_eq!(Running::start("run", async || 42).ends(&rule, "an end").await, 42);
    // Both at once: what was waited for counts.
    let mut running = Running::start("run", async || 42);
    assert_eq!(running.until(&rule, "a number", future::ready(1)).await, 1);
}

#[tokio::test]
async fn a_result_or_a_panic_ends_the_wait_at_once_and_is_told() {
    let began = Instant::now();
    let text = failure_of(async {
        let trial = Trial::start("step");
        let mut running = Running::start("run", async || 42);
        running.until(&trial.rule("It runs"), "a record", pending::<()>()).await;
    });
    assert!(text.await.starts_with("It runs\n  expected  a record\n  seen      run returned 42\n"));

    for blocks in [false, true] {
        let text = failure_of(async move {
            let trial = Trial::start("step");
            let mut running = Running::start("run", move || async move {
                if blocks {
                    // A thread that nobody can end must not keep the news of the panic back.
                    tokio::task::spawn_blocking(|| thread::sleep(Duration::from_secs(3600)));
                }
                tokio::task::yield_now().await;
                todo!("step 4");
            });
            running.until(&trial.rule("It runs"), "a record", pending::<()>()).await;
        });
        assert!(text.await.starts_with("It runs\n  expected  a record\n  seen      run panicked\n"));
    }
    let text = failure_of(async {
        let trial = Trial::start("step");
        Running::start("run", async || panic!("boom")).ends(&trial.rule("It ends"), "an end").await
    });
    assert!(text.await.starts_with("It ends\n  expected  an end\n  seen      run panicked\n"));
    assert!(began.elapsed() < bound(), "none of them waited for the bound");
}

#[tokio::test]
async fn code_that_blocks_its_thread_holds_nobody_up() {
    let trial = Trial::start("step");
    let rule = trial.rule("It runs");
    let (go, gone) = mpsc::channel();
    let running = Running::start("run", || async move {
        // Not `Send`, and it blocks.
        let text = std::rc::Rc::new(gone);
        text.recv()
    });
    go.send(7).unwrap();
    assert_eq!(running.ends(&rule, "an end").await, Ok(7));
}

#[tokio::test]
async fn it_ends_when_nobody_has_it_any_more() {
    let trial = Trial::start("step");
    let rule = trial.rule("A suite leaves nothing behind");
    let (begun, has_begun) = oneshot::channel();
    let (held, dropped) = oneshot::channel::<()>();
    let mut running = Running::start("run", || async {
        let _held = held;
        begun.send(()).unwrap();
        pending::<()>().await;
    });
    running.until(&rule, "it begins", has_begun).await.unwrap();
    drop(running);
    rule.within("its future is dropped", dropped).await.unwrap_err();
}
