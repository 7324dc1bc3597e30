// Step 3: what becomes of a request to create a user.

use crate::{
    caller::{Caller, answers, fails, keeps_secrets, outcome, serve},
    messages::this_year::CreateUserRequest,
    shelf::{Ask, Shelf},
};
use std::collections::BTreeSet;
use testkit::{Passed, Rule, Trial};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const SECTION: &str = "step-3-new-users";

/// A request that keeps every rule.
pub fn sound() -> CreateUserRequest {
    CreateUserRequest {
        name: "Barbara".to_owned(),
        email: "barbara@example.com".to_owned(),
        phone: Some("+16175550123".to_owned()),
    }
}

/// A request that breaks the rules of these fields, and no other.
fn broken_in(fields: &[&str]) -> CreateUserRequest {
    let mut request = sound();
    for field in fields {
        match *field {
            "name" => request.name = String::new(),
            "email" => request.email = "nowhere".to_owned(),
            _ => request.phone = Some("call me".to_owned()),
        }
    }
    request
}

/// The server must refuse the request, and name just these fields.
pub async fn refuses(rule: &Rule<'_>, caller: &mut Caller, request: CreateUserRequest, fields: &[&str]) {
    let what = format!("CreateUser of {}", in_words(&request));
    let result = caller.create(rule, request).await;
    fails(rule, &what, &result, Code::InvalidArgument);
    let named = named(result.as_ref().err());
    let expected: BTreeSet<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    rule.holds(
        named == expected,
        format_args!("{what} has violations of {}", list(&expected)),
        format_args!("violations of {}", list(&named)),
    );
}

/// A request for a reader.
pub fn in_words(request: &CreateUserRequest) -> String {
    let cut = |text: &str| match text.char_indices().nth(30) {
        Some((at, _)) => format!("{:?} … ({} characters)", &text[..at], text.chars().count()),
        None => format!("{text:?}"),
    };
    let phone =
        request.phone.as_deref().map_or("no phone".to_owned(), |phone| format!("phone {}", cut(phone)));
    format!("name {}, email {}, {phone}", cut(&request.name), cut(&request.email))
}

/// The fields that the details of a status name.
fn named(status: Option<&Status>) -> BTreeSet<String> {
    let request = status.and_then(|status| status.get_details_bad_request());
    request
        .into_iter()
        .flat_map(|request| request.field_violations)
        .map(|violation| violation.field)
        .collect()
}

fn list(fields: &BTreeSet<String>) -> String {
    let quoted: Vec<_> = fields.iter().map(|field| format!("{field:?}")).collect();
    if quoted.is_empty() { "no field".to_owned() } else { quoted.join(", ") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_is_kept_and_told() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("CreateUser keeps what the request says, and answers with the user as the store has it");
    let store = Shelf::of(2);
    let mut caller = serve(&trial, &store).await;

    let told = answers(&rule, "CreateUser", caller.create(&rule, sound()).await);
    let seen = format!("{} {} {}", told.id, told.name, told.email);
    rule.holds(seen == "u003 Barbara barbara@example.com", "u003 Barbara barbara@example.com", &seen);

    let kept = store.users().pop().expect("the store had users before");
    let seen = format!("{} {} {} {:?}", kept.id, kept.name, kept.email, kept.phone);
    let expected = "u003 Barbara barbara@example.com Some(\"+16175550123\")";
    rule.holds(seen == expected, format_args!("the store keeps {expected}"), &seen);

    let read = answers(&rule, "GetUser", caller.get(&rule, "u003").await);
    rule.holds(read == told, "GetUser answers with the same user", format_args!("{read:?}"));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_violation_is_told_at_once() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A refusal names every field that breaks a rule, in a google.rpc.BadRequest");
    let mut caller = serve(&trial, &Shelf::of(2)).await;

    refuses(&rule, &mut caller, broken_in(&["name", "email", "phone"]), &["name", "email", "phone"]).await;
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_is_right_is_not_named() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A refusal names the fields that break a rule, and no other");
    let mut caller = serve(&trial, &Shelf::of(2)).await;

    for fields in
        [&["name"][..], &["email"], &["phone"], &["name", "email"], &["name", "phone"], &["email", "phone"]]
    {
        refuses(&rule, &mut caller, broken_in(fields), fields).await;
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_violation_says_what_is_wrong() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Each violation has a description: words for the person who has to mend it");
    let mut caller = serve(&trial, &Shelf::of(2)).await;

    let result = caller.create(&rule, broken_in(&["name", "email", "phone"])).await;
    let details = result.as_ref().err().and_then(|status| status.get_details_bad_request());
    let violations = details.map_or_else(Vec::new, |request| request.field_violations);
    rule.holds(
        !violations.is_empty(),
        "a google.rpc.BadRequest with violations among the details",
        format_args!("{}, without one", outcome(&result)),
    );
    let silent = violations.iter().find(|violation| violation.description.trim().is_empty());
    if let Some(violation) = silent {
        rule.broken("every violation has a description", format_args!("{:?} has none", violation.field));
    }
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_is_not_kept() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("What breaks a rule is refused before the store is asked: nothing is kept");
    let store = Shelf::of(2);
    let mut caller = serve(&trial, &store).await;

    for fields in [&["name", "email", "phone"][..], &["name"], &["email"], &["phone"]] {
        let request = broken_in(fields);
        let what = format!("CreateUser of {}", in_words(&request));
        fails(&rule, &what, &caller.create(&rule, request).await, Code::InvalidArgument);
        let kept = store.users().len();
        rule.holds(kept == 2, "the store has 2 users, as before", format_args!("it has {kept}"));
    }
    trial.did("the store is down; that a request is wrong does not depend on it");
    let mut caller = serve(&trial, &Shelf::broken()).await;
    let refused = caller.create(&rule, broken_in(&["email"])).await;
    fails(&rule, "CreateUser with a wrong address", &refused, Code::InvalidArgument);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_address_already_exists() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("An e-mail address that another user has is ALREADY_EXISTS: the request itself is fine");
    let mut caller = serve(&trial, &Shelf::of(2)).await;

    answers(&rule, "CreateUser", caller.create(&rule, sound()).await);
    let again = CreateUserRequest { name: "Another Barbara".to_owned(), ..sound() };
    let what = "CreateUser with the address of another user";
    fails(&rule, what, &caller.create(&rule, again).await, Code::AlreadyExists);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_store_is_internal() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When the store fails, CreateUser fails with INTERNAL");
    let mut caller = serve(&trial, &Shelf::failing(&[Ask::Add])).await;

    trial.did("the store takes nobody");
    fails(&rule, "CreateUser", &caller.create(&rule, sound()).await, Code::Internal);
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_says_stays_inside() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("What a failing store says is for the operator: the caller of CreateUser reads none of it");
    let mut caller = serve(&trial, &Shelf::failing(&[Ask::Add])).await;

    trial.did("the store takes nobody, and says where it is and who was to log in");
    keeps_secrets(&rule, "CreateUser", caller.create(&rule, sound()).await);
    trial.passed()
}
