// Step 2: what a dead letter says. A pure function: no broker.

use crate::times::{digits_of_a_second, in_utc};
use lab_02_retry_consumer::{Failure, HandlerError, dead_letter_headers};
use rdkafka::{
    Timestamp,
    message::{Header, Headers as _, OwnedHeaders, OwnedMessage},
};
use std::time::{Duration, SystemTime};
use testkit::{Passed, Rule, Trial};

const SECTION: &str = "step-2-dead-letters";

/// The headers that a dead letter has from us.
const OURS: [&str; 7] = [
    "original-topic",
    "original-partition",
    "original-offset",
    "original-timestamp",
    "error",
    "attempts",
    "timestamp",
];

type Pair = (String, Option<Vec<u8>>);

fn pair(key: &str, value: Option<&[u8]>) -> Pair {
    (key.to_owned(), value.map(<[u8]>::to_vec))
}

/// A record with these headers, at `orders`, partition 7, offset 42.
fn record(timestamp: Timestamp, headers: &[Pair]) -> OwnedMessage {
    let owned = headers.iter().fold(OwnedHeaders::new(), |owned, (key, value)| {
        owned.insert(Header { key, value: value.as_deref() })
    });
    let headers = (!headers.is_empty()).then_some(owned);
    OwnedMessage::new(
        Some(b"payload".into()),
        Some(b"key".into()),
        "orders".into(),
        timestamp,
        7,
        42,
        headers,
    )
}

fn failure(attempts: u32) -> Failure {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_769_860_800_250);
    Failure { error: HandlerError::Transient("the bank is down".into()), attempts, at }
}

fn headers_of(record: &OwnedMessage, failure: &Failure) -> Vec<Pair> {
    dead_letter_headers(record, failure).iter().map(|header| pair(header.key, header.value)).collect()
}

/// The value of a header that must be there once.
fn value<'a>(rule: &Rule<'_>, headers: &'a [Pair], name: &str) -> &'a str {
    let expected = format!("one header {name:?}, with a text");
    let values: Vec<_> = headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect();
    match values[..] {
        [Some(value)] => match std::str::from_utf8(value) {
            Ok(text) => text,
            Err(_) => rule.broken(expected, format_args!("the bytes {value:?}")),
        },
        [None] => rule.broken(expected, "it has no value"),
        _ => rule.broken(expected, format_args!("{} of that name in {}", values.len(), names(headers))),
    }
}

fn names(headers: &[Pair]) -> String {
    headers.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ")
}

/// The headers that are not ours.
fn own(headers: &[Pair]) -> Vec<Pair> {
    headers.iter().filter(|(key, _)| !OURS.contains(&key.as_str())).cloned().collect()
}

#[tokio::test]
async fn a_dead_letter_keeps_the_records_own_headers() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A dead letter has the record's own headers, in their order, each as it was");
    let its = [
        pair("trace", Some(b"a")),
        pair("flag", None),
        pair("trace", Some(b"b")),
        pair("bytes", Some(&[0xff, 0x00, 0xfe])),
        pair("empty", Some(b"")),
        // Names that only look like ours: a header's name is all of it, and large letters are not small ones.
        pair("original-sender", Some(b"till 7")),
        pair("error-budget", Some(b"3")),
        pair("Timestamp", Some(b"noon")),
    ];
    let headers = headers_of(&record(Timestamp::CreateTime(0), &its), &failure(4));
    rule.same(its.to_vec(), own(&headers));
    trial.passed()
}

#[tokio::test]
async fn a_dead_letter_has_the_records_own_headers_first() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A dead letter has its record's own headers first, and then the ones that are added");
    let its = [pair("trace", Some(b"a")), pair("tenant", Some(b"b"))];
    let headers = headers_of(&record(Timestamp::CreateTime(0), &its), &failure(4));
    rule.holds(headers.starts_with(&its), "trace, tenant, and then the others", names(&headers));
    trial.passed()
}

#[tokio::test]
async fn a_dead_letter_says_where_its_record_came_from() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A dead letter names the topic, the partition and the offset of its record");
    let headers = headers_of(&record(Timestamp::CreateTime(0), &[]), &failure(4));
    for (name, expected) in
        [("original-topic", "orders"), ("original-partition", "7"), ("original-offset", "42")]
    {
        let seen = value(&rule, &headers, name);
        rule.holds(
            seen == expected,
            format_args!("{name} of record 42 in orders/7 is {expected:?}"),
            format_args!("{seen:?}"),
        );
    }
    trial.passed()
}

#[tokio::test]
async fn a_dead_letter_says_when_its_record_was_written() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("original-timestamp is the record's timestamp in RFC 3339, in UTC, with milliseconds");
    // The first moment, a leap day, a moment before and one after a change of clocks in many places.
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_709_210_096_007, "2024-02-29T12:34:56.007Z"),
        (1_769_860_800_250, "2026-01-31T12:00:00.250Z"),
        (1_785_499_199_999, "2026-07-31T11:59:59.999Z"),
    ] {
        for timestamp in [Timestamp::CreateTime(millis), Timestamp::LogAppendTime(millis)] {
            let headers = headers_of(&record(timestamp, &[]), &failure(4));
            let seen = value(&rule, &headers, "original-timestamp");
            let expected = Duration::from_millis(millis.try_into().expect("after 1970"));
            rule.holds(
                in_utc(seen) == Some(SystemTime::UNIX_EPOCH + expected) && digits_of_a_second(seen) >= 3,
                format_args!("of a record with {timestamp:?} it is {text}"),
                seen,
            );
        }
    }
    trial.passed()
}

#[tokio::test]
async fn a_record_without_a_timestamp_has_none_in_its_dead_letter() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The dead letter of a record without a timestamp has no original-timestamp");
    let headers = headers_of(&record(Timestamp::NotAvailable, &[]), &failure(4));
    let seen = names(&headers);
    rule.holds(headers.iter().all(|(key, _)| key != "original-timestamp"), "no such header", &seen);
    // It says everything else.
    value(&rule, &headers, "original-offset");
    value(&rule, &headers, "timestamp");
    trial.passed()
}

#[tokio::test]
async fn a_dead_letter_says_why_and_when_it_was_given_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("A dead letter has the last error's text, the number of attempts, and the time of giving up");
    let permanent = Failure { error: HandlerError::Permanent("no JSON: “{”".into()), ..failure(1) };
    for (failure, error, attempts) in
        [(failure(4), "the bank is down", "4"), (permanent, "no JSON: “{”", "1")]
    {
        let headers = headers_of(&record(Timestamp::CreateTime(0), &[]), &failure);
        for (name, expected) in [("error", error), ("attempts", attempts)] {
            let seen = value(&rule, &headers, name);
            rule.holds(seen == expected, format_args!("{name} is {expected:?}"), format_args!("{seen:?}"));
        }
        let seen = value(&rule, &headers, "timestamp");
        let at = in_utc(seen);
        let far = at.is_none_or(|at| at > failure.at || failure.at > at + Duration::from_millis(250));
        rule.holds(!far, "timestamp is 2026-01-31T12:00:00.250Z, which is Failure::at in UTC", seen);
    }
    trial.passed()
}

/// A record that was a dead letter of `payments` and was put back.
fn put_back() -> OwnedMessage {
    let its = [
        pair("trace", Some(b"a")),
        pair("original-topic", Some(b"payments")),
        pair("original-partition", Some(b"1")),
        pair("original-offset", Some(b"11")),
        pair("original-timestamp", Some(b"2020-02-02T02:02:02.020Z")),
        pair("error", Some(b"an old error")),
        pair("attempts", Some(b"9")),
        pair("timestamp", Some(b"2020-02-02T03:03:03.030Z")),
        pair("trace", Some(b"b")),
    ];
    record(Timestamp::CreateTime(1_709_210_096_007), &its)
}

#[tokio::test]
async fn a_dead_letter_that_fails_again_keeps_its_origin() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("A dead letter that was put back and fails again has each original-… header once, as it was");
    let headers = headers_of(&put_back(), &failure(4));
    for (name, expected) in [
        ("original-topic", "payments"),
        ("original-partition", "1"),
        ("original-offset", "11"),
        ("original-timestamp", "2020-02-02T02:02:02.020Z"),
    ] {
        let seen = value(&rule, &headers, name);
        rule.holds(seen == expected, format_args!("{name} is {expected:?}"), format_args!("{seen:?}"));
    }
    rule.same(vec![pair("trace", Some(b"a")), pair("trace", Some(b"b"))], own(&headers));
    trial.passed()
}

#[tokio::test]
async fn what_is_missing_of_the_origin_is_added() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A record that has some original-… headers keeps these and gets those that it lacks");
    let its = [pair("original-topic", Some(b"payments")), pair("original-offset", Some(b"11"))];
    let headers = headers_of(&record(Timestamp::CreateTime(0), &its), &failure(4));
    for (name, expected) in
        [("original-topic", "payments"), ("original-partition", "7"), ("original-offset", "11")]
    {
        let seen = value(&rule, &headers, name);
        rule.holds(seen == expected, format_args!("{name} is {expected:?}"), format_args!("{seen:?}"));
    }
    value(&rule, &headers, "original-timestamp");
    trial.passed()
}

#[tokio::test]
async fn a_dead_letter_that_fails_again_tells_of_the_last_time() -> Passed {
    let trial = Trial::start(SECTION);
    let rule =
        trial.rule("A dead letter that fails again has error, attempts and timestamp once, of the last time");
    let headers = headers_of(&put_back(), &failure(4));
    for (name, expected) in [("error", "the bank is down"), ("attempts", "4")] {
        let seen = value(&rule, &headers, name);
        rule.holds(seen == expected, format_args!("{name} is {expected:?}"), format_args!("{seen:?}"));
    }
    let seen = value(&rule, &headers, "timestamp");
    rule.holds(!seen.starts_with("2020"), "timestamp is that of the last time", seen);
    trial.passed()
}
