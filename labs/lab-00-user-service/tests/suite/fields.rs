// Step 3: the rules of each field, at their edges.

use crate::{
    caller::{answers, serve},
    create::{in_words, refuses, sound},
    messages::this_year::CreateUserRequest,
    shelf::Shelf,
};
use testkit::{Passed, Rule, Trial};

const SECTION: &str = "step-3-new-users";

/// The server must take these requests. Their addresses may be the same: each gets a store of its own.
async fn takes(trial: &Trial, rule: &Rule<'_>, requests: impl IntoIterator<Item = CreateUserRequest>) {
    for request in requests {
        let mut caller = serve(trial, &Shelf::of(0)).await;
        let what = format!("CreateUser of {}", in_words(&request));
        answers(rule, &what, caller.create(rule, request).await);
    }
}

fn named(name: &str) -> CreateUserRequest {
    CreateUserRequest { name: name.to_owned(), ..sound() }
}

fn addressed(email: &str) -> CreateUserRequest {
    CreateUserRequest { email: email.to_owned(), ..sound() }
}

fn called(phone: &str) -> CreateUserRequest {
    CreateUserRequest { phone: Some(phone.to_owned()), ..sound() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_has_1_to_64_characters() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A name has 1 to 64 characters, whatever number of bytes they take");

    takes(&trial, &rule, ["B", &"b".repeat(64), &"é".repeat(64), "李", "Barbara Jane"].map(named)).await;
    let mut caller = serve(&trial, &Shelf::of(0)).await;
    for name in ["", &"b".repeat(65), &"é".repeat(65)] {
        refuses(&rule, &mut caller, named(name), &["name"]).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_more_than_white_space() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A name that is all white space is none");
    let mut caller = serve(&trial, &Shelf::of(0)).await;

    for name in [" ", "\t\n", "\u{3000}\u{3000}"] {
        refuses(&rule, &mut caller, named(name), &["name"]).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_is_refused() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("An address has one @ with something before and after it, no white space, 254 bytes at most");
    let mut caller = serve(&trial, &Shelf::of(0)).await;

    let long = format!("{}@example.com", "b".repeat(243));
    let wrong = [
        "",
        "barbara",
        "@",
        "@example.com",
        "barbara@",
        "a@b@c",
        "@b@c",
        "a@b@",
        "a b@c",
        "a@b c",
        "a@b\t",
        &long,
    ];
    for email in wrong {
        refuses(&rule, &mut caller, addressed(email), &["email"]).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_need_not_look_familiar() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("An address that keeps the rules of the contract is taken, however unusual it looks");

    let longest = format!("{}@example.com", "b".repeat(242));
    let unusual =
        ["b@c", "root@localhost", "a+b.c@sub.example.museum", "o'hara@example.com", "李@例え.jp", &longest];
    takes(&trial, &rule, unusual.map(addressed)).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_phone_is_refused() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A phone that is told is a plus sign and 7 to 15 digits from 0 to 9, and nothing else");
    let mut caller = serve(&trial, &Shelf::of(0)).await;

    for phone in [
        "",
        "+",
        "+123456",
        "+1234567890123456",
        "00491234567",
        "1234567",
        "++1234567",
        "+49 1234567",
        "+1234567x",
        "+123+4567",
        "+१२३४५६७",
    ] {
        refuses(&rule, &mut caller, called(phone), &["phone"]).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_may_be_left_out() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A request without a phone is sound, and the store then keeps none");

    takes(&trial, &rule, ["+1234567", "+123456789012345", "+0000000"].map(called)).await;
    let store = Shelf::of(0);
    let mut caller = serve(&trial, &store).await;
    let request = CreateUserRequest { phone: None, ..sound() };
    answers(&rule, "CreateUser without a phone", caller.create(&rule, request).await);
    let kept = store.users().pop().and_then(|user| user.phone);
    rule.holds(kept.is_none(), "the store keeps no phone", format_args!("it keeps {kept:?}"));
    trial.passed()
}
