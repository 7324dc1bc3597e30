// Step 5: programs of different years read each other. All of it is about bytes.

use crate::{
    caller::{answers, serve},
    client::{FOR_EVER, connect},
    messages::{first_year, next_year, this_year},
    scripted::{Answer, Scripted},
    shelf::{Shelf, person},
};
use lab_00_user_service::{User, UserState, export, import};
use prost::Message;
use testkit::{Passed, Rule, Trial};

const SECTION: &str = "step-5-the-contract-moves-on";

/// What another program reads in your archive.
fn read_by<T: Message + Default>(rule: &Rule<'_>, who: &str, bytes: &[u8]) -> T {
    let expected = format!("{who} can read the archive");
    T::decode(bytes).unwrap_or_else(|error| rule.broken(expected, format_args!("it cannot: {error}")))
}

/// What you read in the archive of another program.
fn imported(rule: &Rule<'_>, archive: &impl Message) -> Vec<User> {
    let read = import(&archive.encode_to_vec());
    read.unwrap_or_else(|error| rule.broken("import can read the archive", format_args!("Err({error})")))
}

fn state_in_words(state: Option<UserState>) -> String {
    format!("{state:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_tells_what_is_new() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("Phone and state are told to a client of this year, as they are to a reader of the archive");
    let users = vec![
        person(1),
        User { phone: None, state: Some(UserState::Suspended), ..person(2) },
        User { state: None, ..person(3) },
    ];
    let told = |user: &this_year::User| format!("{}: phone {:?}, state {}", user.id, user.phone, user.state);
    let expected = [
        "u001: phone Some(\"+49300000001\"), state 1",
        "u002: phone None, state 2",
        "u003: phone Some(\"+49300000003\"), state 0",
    ];
    let written: this_year::Archive = read_by(&rule, "a program of this year", &export(&users));
    let seen: Vec<_> = written.users.iter().map(told).collect();
    rule.holds(seen == expected, expected.join("; "), seen.join("; "));

    let mut caller = serve(&trial, &Shelf::with(users)).await;
    for (id, expected) in ["u001", "u002", "u003"].into_iter().zip(expected) {
        let user = answers(&rule, "GetUser", caller.get(&rule, id).await);
        rule.holds(told(&user) == expected, expected, told(&user));
    }
    let page = answers(&rule, "ListUsers", caller.list(&rule, 0, 0).await);
    let seen: Vec<_> = page.users.iter().map(told).collect();
    rule.holds(seen == expected, expected.join("; "), seen.join("; "));
    trial.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_reads_what_is_new() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("Phone and state are read in the answers of a server of this year, as in an archive");
    let phone = Some("+4930123456".to_owned());
    let user = this_year::User { id: "u1".to_owned(), phone: phone.clone(), state: 2, ..Default::default() };
    let expected = User { id: "u1".to_owned(), phone, state: Some(UserState::Suspended), ..User::default() };
    rule.same(vec![expected.clone()], imported(&rule, &this_year::Archive { users: vec![user.clone()] }));

    let server = Scripted::start(&trial, Answer::user(user)).await;
    let client = connect(&rule, &server, FOR_EVER).await;
    let read = answers(&rule, "get", rule.within("get returns", client.get("u1")).await);
    rule.same(Some(expected), read);
    trial.passed()
}

#[tokio::test]
async fn a_program_of_the_first_year_reads_what_you_write() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("A program of the first year reads your archive, and takes nothing in it for something else");
    let users: Vec<_> = (1..=3).map(person).collect();
    let bytes = export(&users);
    trial.did("you export three users, all with phone and state; a program of the first year reads the file");

    let read: first_year::Archive = read_by(&rule, "a program of the first year", &bytes);
    let seen: Vec<_> =
        read.users.iter().map(|user| format!("{} {} {}", user.id, user.name, user.email)).collect();
    let expected: Vec<_> =
        users.iter().map(|user| format!("{} {} {}", user.id, user.name, user.email)).collect();
    rule.holds(seen == expected, expected.join("; "), seen.join("; "));
    for user in &read.users {
        let expected = format!("{} has no fax number and no nickname", user.id);
        let seen = format!("fax {:?}, nickname {:?}", user.fax, user.nickname);
        rule.holds(user.fax.is_empty() && user.nickname.is_empty(), expected, seen);
    }
    trial.passed()
}

#[tokio::test]
async fn you_read_what_a_program_of_the_first_year_wrote() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("An archive of the first year is read; what its writer did not know has not been told");
    let archive = first_year::Archive {
        users: vec![first_year::User {
            id: "u1".to_owned(),
            name: "Ada".to_owned(),
            email: "ada@example.com".to_owned(),
            fax: "+442071838750".to_owned(),
            nickname: "Countess".to_owned(),
        }],
    };
    trial.did("a program of the first year has written a user with a fax number and a nickname; you import the file");

    let expected = User {
        id: "u1".to_owned(),
        name: "Ada".to_owned(),
        email: "ada@example.com".to_owned(),
        phone: None,
        state: None,
    };
    rule.same(vec![expected], imported(&rule, &archive));
    trial.passed()
}

#[tokio::test]
async fn you_read_what_a_program_of_next_year_writes() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("An archive of next year is read: unknown fields are passed over, an unknown state is none");
    let user = |state| next_year::User {
        id: format!("u{state}"),
        phone: Some("+4930123456".to_owned()),
        state,
        language: "de".to_owned(),
        since: 1_700_000_000,
        ..Default::default()
    };
    let archive =
        next_year::Archive { users: [1, 2, 3, 12, -1].map(user).into(), written_by: "2.0".to_owned() };
    trial.did("a program of next year has written two new fields, and states 1, 2, 3, 12 and -1; you import the file");

    let read = imported(&rule, &archive);
    let seen: Vec<_> =
        read.iter().map(|user| format!("{} {}", user.id, state_in_words(user.state))).collect();
    let expected = ["u1 Some(Active)", "u2 Some(Suspended)", "u3 None", "u12 None", "u-1 None"];
    rule.holds(seen == expected, expected.join(", "), seen.join(", "));
    trial.passed()
}

#[tokio::test]
async fn an_absent_phone_is_no_empty_phone() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("No phone is no field, an empty phone is an empty field, and each is read as what it is");
    for phone in [None, Some(String::new()), Some("+4930123456".to_owned())] {
        let bytes = export(&[User { phone: phone.clone(), ..person(1) }]);
        let written: this_year::Archive = read_by(&rule, "a program of this year", &bytes);
        let on_the_wire: Vec<_> = written.users.into_iter().map(|user| user.phone).collect();
        trial.did(format!("export of a user with phone {phone:?}"));
        rule.same(vec![phone.clone()], on_the_wire);

        let user = this_year::User { phone: phone.clone(), ..Default::default() };
        let read = imported(&rule, &this_year::Archive { users: vec![user] });
        trial.did(format!("import of a user with phone {phone:?}"));
        rule.same(vec![phone], read.into_iter().map(|user| user.phone).collect());
    }
    trial.passed()
}

#[tokio::test]
async fn every_state_has_its_number() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("On the wire 0 is a state that nobody has told, 1 is active and 2 is suspended");
    for (state, number) in [(None, 0), (Some(UserState::Active), 1), (Some(UserState::Suspended), 2)] {
        let bytes = export(&[User { state, ..person(1) }]);
        let written: this_year::Archive = read_by(&rule, "a program of this year", &bytes);
        let numbers: Vec<_> = written.users.iter().map(|user| user.state).collect();
        let what = format!("export of {}: the number {number}", state_in_words(state));
        rule.holds(numbers == [number], what, format_args!("{numbers:?}"));

        let user = this_year::User { state: number, ..Default::default() };
        let read = imported(&rule, &this_year::Archive { users: vec![user] });
        let states: Vec<_> = read.iter().map(|user| state_in_words(user.state)).collect();
        let what = format!("import of the number {number}: {}", state_in_words(state));
        rule.holds(states == [state_in_words(state)], what, states.join(", "));
    }
    trial.passed()
}

#[tokio::test]
async fn what_was_exported_is_imported() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("import gives the users that were exported, all of them and in the same order");
    for count in [0, 1, 200] {
        let users: Vec<_> = (1..=count).rev().map(person).collect();
        let read = import(&export(&users));
        let read = read.unwrap_or_else(|error| rule.broken("an archive", format_args!("Err({error})")));
        let seen = read.iter().zip(&users).position(|(read, user)| read != user);
        let seen =
            seen.map_or(format!("{} users", read.len()), |at| format!("number {at} differs: {:?}", read[at]));
        rule.holds(read == users, format_args!("the same {count} users"), seen);
    }
    trial.passed()
}

#[tokio::test]
async fn half_a_file_is_no_archive() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Bytes that are no archive are an error, and never a few users less");
    let whole = export(&[person(1), person(2)]);
    for bytes in [&whole[..whole.len() - 1], &whole[..whole.len() / 2 + 3], b"\xff\xff\xff", b"users.csv"] {
        let result = import(bytes);
        let seen = result
            .as_ref()
            .map_or_else(ToString::to_string, |users| format!("Ok with {} users", users.len()));
        rule.holds(
            result.is_err(),
            format_args!("import of {} bytes that make no sense fails", bytes.len()),
            seen,
        );
    }
    trial.passed()
}
