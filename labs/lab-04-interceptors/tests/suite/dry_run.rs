// Step 5: calls that only try, of every kind.

use crate::{
    calls::{Calls, answers, ends, posts, told},
    scripted::post,
    whole::{Bank, bearer},
};
use lab_04_interceptors::DRY_RUN;
use proto::ledger::v1::PostRequest;
use testkit::{Passed, Rule, Trial, grpc::Wire};
use tonic::Request;

const SECTION: &str = "step-5-the-whole-stack";

/// A request of the teller's, with this word about dry runs.
fn with_word<T>(word: &str, message: T) -> Request<T> {
    let mut request = bearer("ada-s3cret-7f", message);
    request.metadata_mut().insert(DRY_RUN, word.parse().expect("plain letters"));
    request
}

/// The cents that were really posted.
async fn posted(rule: &Rule<'_>, calls: &mut Calls<Wire>) -> Vec<i64> {
    let statement = calls.statement(rule, bearer("ada-s3cret-7f", "cash")).await;
    statement.unwrap_or_else(|status| rule.broken("the teller can read a statement", told(&status)))
}

/// Requests of which the second breaks the stream: tonic takes no message of more than 4 MiB, and gives an error in
/// its place.
fn breaks_after(cents: i64) -> Request<Vec<PostRequest>> {
    bearer("ada-s3cret-7f", vec![post("cash", cents), post(&"x".repeat(5 << 20), 20)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_calls_change_the_book() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Without x-dry-run, and with `false`, entries are posted");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    let balance = calls.post(&rule, bearer("ada-s3cret-7f", post("cash", 100))).await;
    answers(&rule, "a balance of 100", &100, &balance);
    ends(&rule, "OK", &calls.import(&rule, with_word("false", posts(&[20, 30]))).await);
    let balances = calls.exchange(&rule, bearer("ada-s3cret-7f", posts(&[-50, 5]))).await;
    answers(&rule, "balances of 100 and 105", &[100, 105], &balances);
    rule.same(vec![100, 20, 30, -50, 5], posted(&rule, &mut calls).await);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_post_posts_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A dry Post answers as if it had been done, and changes nothing");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    let balance = calls.post(&rule, with_word("true", post("cash", 100))).await;
    answers(&rule, "a balance of 100", &100, &balance);
    ends(&rule, "FAILED_PRECONDITION", &calls.post(&rule, with_word("true", post("cash", -1))).await);
    rule.same(Vec::<i64>::new(), posted(&rule, &mut calls).await);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_import_posts_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A dry Import counts its entries, and changes nothing");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    let answer = calls.import(&rule, with_word("true", posts(&[100, 20, 3]))).await;
    answers(&rule, "3 entries", &3, &answer);
    rule.same(Vec::<i64>::new(), posted(&rule, &mut calls).await);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_exchange_posts_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A dry Exchange answers each entry, and changes nothing");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    let balances = calls.exchange(&rule, with_word("true", posts(&[100]))).await;
    answers(&rule, "a balance of 100", &[100], &balances);
    rule.same(Vec::<i64>::new(), posted(&rule, &mut calls).await);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_stream_adds_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("In a dry stream each entry comes after the ones before it, as if they had been posted");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    let balances = calls.exchange(&rule, with_word("true", posts(&[100, -60, -40]))).await;
    answers(&rule, "balances of 100, 40 and 0", &[100, 40, 0], &balances);
    let answer = calls.import(&rule, with_word("true", posts(&[100, -60, -40]))).await;
    answers(&rule, "3 entries", &3, &answer);
    ends(&rule, "FAILED_PRECONDITION", &calls.import(&rule, with_word("true", posts(&[100, -101]))).await);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_answers_as_it_goes() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An Exchange answers each entry before the next one comes");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    let balances = calls.converse(&rule, bearer("ada-s3cret-7f", posts(&[100, -60, 2]))).await;
    answers(&rule, "balances of 100, 40 and 42", &[100, 40, 42], &balances);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_neither_true_nor_false_is_refused() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("Any other value of x-dry-run is INVALID_ARGUMENT, and nothing is done: not even for real");
    let (bank, mut calls) = Bank::open(&trial, &rule).await;
    for word in ["yes", "1", "True", "", "true,true"] {
        trial.did(format!("a Post with {DRY_RUN}: {word:?}"));
        ends(&rule, "INVALID_ARGUMENT", &calls.post(&rule, with_word(word, post("cash", 1))).await);
    }
    trial.did("streams with x-dry-run: yes");
    ends(&rule, "INVALID_ARGUMENT", &calls.import(&rule, with_word("yes", posts(&[1]))).await);
    ends(&rule, "INVALID_ARGUMENT", &calls.exchange(&rule, with_word("yes", posts(&[1]))).await);
    ends(&rule, "INVALID_ARGUMENT", &calls.statement(&rule, with_word("yes", "cash")).await);
    let mut twice = with_word("true", post("cash", 1));
    twice.metadata_mut().append(DRY_RUN, "false".parse().expect("plain letters"));
    trial.did("a Post with both true and false");
    ends(&rule, "INVALID_ARGUMENT", &calls.post(&rule, twice).await);
    rule.same(Vec::<i64>::new(), posted(&rule, &mut calls).await);
    let noted = bank.audit.notes().len();
    rule.holds(noted == 0, "the audit hears of none of them", format_args!("{noted} notes"));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_ends_a_stream() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The first entry that cannot be posted ends a stream with its error");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    let teller = |amounts: &[i64]| bearer("ada-s3cret-7f", posts(amounts));
    ends(&rule, "FAILED_PRECONDITION", &calls.import(&rule, teller(&[10, -20, 40])).await);
    ends(&rule, "FAILED_PRECONDITION", &calls.exchange(&rule, teller(&[5, -20])).await);
    rule.same(vec![10, 5], posted(&rule, &mut calls).await);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_stream_has_not_ended() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A stream of requests that breaks has not come to its end: the call fails");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    trial.did("an Import whose second entry is longer than a message may be");
    let answer = calls.import(&rule, breaks_after(10)).await;
    rule.holds(answer.is_err(), "an error", format_args!("{answer:?}"));
    trial.did("an Exchange of the same");
    let answer = calls.exchange(&rule, breaks_after(10)).await;
    rule.holds(answer.is_err(), "an error", format_args!("{answer:?}"));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_posted_as_they_come() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("An Import posts entries as they come: those before the stream broke stay posted");
    let (_bank, mut calls) = Bank::open(&trial, &rule).await;
    trial.did("an Import whose second entry is longer than a message may be");
    let _ = calls.import(&rule, breaks_after(10)).await;
    rule.same(vec![10], posted(&rule, &mut calls).await);
    trial.passed()
}
