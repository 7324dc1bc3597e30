// Step 5: what the contract says, now that it has moved on.

use crate::descriptors::{Contract, PACKAGE, in_words};
use testkit::{Passed, Trial};

const SECTION: &str = "step-5-the-contract-moves-on";

/// Every field that programs have been built with and that is still there.
const FIELDS: [(&str, &[&str]); 8] = [
    ("User", &["string id = 1", "string name = 2", "string email = 3"]),
    ("GetUserRequest", &["string id = 1"]),
    ("GetUserResponse", &["User user = 1"]),
    ("ListUsersRequest", &["int32 page = 1", "int32 page_size = 2"]),
    ("ListUsersResponse", &["repeated User users = 1", "int64 total = 2"]),
    ("CreateUserRequest", &["string name = 1", "string email = 2", "string phone = 3"]),
    ("CreateUserResponse", &["User user = 1"]),
    ("Archive", &["repeated User users = 1"]),
];

/// Every call, with what it takes and gives.
const CALLS: [(&str, &str, &str); 3] = [
    ("GetUser", "GetUserRequest", "GetUserResponse"),
    ("ListUsers", "ListUsersRequest", "ListUsersResponse"),
    ("CreateUser", "CreateUserRequest", "CreateUserResponse"),
];

#[tokio::test]
async fn what_was_there_is_there_as_it_was() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A field keeps its number, its name and its type for ever");
    let contract = Contract::in_use(&rule);

    for (message, fields) in FIELDS {
        let descriptor = contract.message(&rule, message);
        let now: Vec<_> = descriptor.fields().map(|field| in_words(&field)).collect();
        for field in fields {
            let there = now.iter().any(|now| now == field);
            rule.holds(
                there,
                format_args!("{message} has {field}"),
                format_args!("{message} has {}", now.join("; ")),
            );
        }
    }
    let phone = contract.message(&rule, "CreateUserRequest").get_field_by_name("phone");
    let optional = phone.is_some_and(|phone| phone.supports_presence());
    rule.holds(optional, "CreateUserRequest.phone is optional, as it was", "it is not");
    trial.passed()
}

#[tokio::test]
async fn every_call_is_still_offered() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A call keeps its name, and what it takes and gives: the path of a call is made of names");
    let contract = Contract::in_use(&rule);

    let service = contract.pool.get_service_by_name(&format!("{PACKAGE}.UserService"));
    let Some(service) = service else {
        rule.broken(format_args!("a service {PACKAGE}.UserService"), "there is none");
    };
    let words = |name: &str, takes: &str, gives: &str| format!("{name}({takes}) returns ({gives})");
    let now: Vec<_> = service
        .methods()
        .filter(|method| !method.is_client_streaming() && !method.is_server_streaming())
        .map(|method| words(method.name(), method.input().name(), method.output().name()))
        .collect();
    for (name, takes, gives) in CALLS {
        let wanted = words(name, takes, gives);
        rule.holds(now.contains(&wanted), format_args!("rpc {wanted}"), now.join("; "));
    }
    trial.passed()
}

#[tokio::test]
async fn a_removed_number_is_never_used_again() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The number of a removed field is reserved, so that no later field can take it");
    let contract = Contract::in_use(&rule);

    let user = contract.message(&rule, "User");
    for (number, was) in [(4, "fax"), (5, "nickname")] {
        if let Some(field) = user.get_field(number) {
            let seen = in_words(&field);
            rule.broken(format_args!("number {number} of User, once {was}, has no field"), seen);
        }
        let reserved: Vec<_> = user.reserved_ranges().collect();
        rule.holds(
            reserved.iter().any(|range| range.contains(&number)),
            format_args!("User has number {number} reserved, once {was}"),
            format_args!("reserved numbers: {reserved:?} (each range without its end)"),
        );
    }
    trial.passed()
}

#[tokio::test]
async fn a_removed_name_is_never_used_again() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The name of a removed field is reserved too: in JSON, names are the contract");
    let contract = Contract::in_use(&rule);

    let user = contract.message(&rule, "User");
    for was in ["fax", "nickname"] {
        if let Some(field) = user.get_field_by_name(was) {
            rule.broken(format_args!("no field of User is called {was}"), in_words(&field));
        }
        let reserved: Vec<_> = user.reserved_names().collect();
        let seen = format!("reserved names: {reserved:?}");
        rule.holds(reserved.contains(&was), format_args!("User has the name {was:?} reserved"), seen);
    }
    trial.passed()
}

#[tokio::test]
async fn zero_of_an_enum_says_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("Zero is what a reader finds where nobody wrote: as an enum's value it is …_UNSPECIFIED");
    let contract = Contract::in_use(&rule);

    rule.holds(contract.enums().count() > 0, "an enum for the state of a user", "there is no enum");
    for known in contract.enums() {
        let zero = known.get_value(0).map_or("no value".to_owned(), |value| value.name().to_owned());
        let expected = format!("value 0 of {} ends in _UNSPECIFIED", known.name());
        rule.holds(zero.ends_with("_UNSPECIFIED"), expected, &zero);
    }
    trial.passed()
}

#[tokio::test]
async fn the_new_fields_are_as_agreed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("User has the new fields under the names, numbers and types that were agreed upon");
    let contract = Contract::in_use(&rule);

    let user = contract.message(&rule, "User");
    let now = user.fields().map(|field| in_words(&field)).collect::<Vec<_>>().join("; ");
    let phone = user.get_field_by_name("phone");
    let agreed = phone.as_ref().is_some_and(|phone| in_words(phone) == "string phone = 6");
    rule.holds(agreed, "User has string phone = 6", format_args!("User has {now}"));
    let optional = phone.is_some_and(|phone| phone.supports_presence());
    rule.holds(optional, "User.phone is optional: absent and empty are not the same", "it is not optional");
    let state = user.get_field_by_name("state");
    let of_enum = state.as_ref().is_some_and(|state| state.number() == 7 && state.kind().as_enum().is_some());
    rule.holds(of_enum, "User has an enum in state = 7", format_args!("User has {now}"));
    trial.passed()
}
