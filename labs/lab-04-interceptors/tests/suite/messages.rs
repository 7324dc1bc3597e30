// Step 2: how many messages there are in the bytes of a call.

use crate::inner::message;
use lab_04_interceptors::MessageCounter;
use testkit::{Passed, Trial};

const SECTION: &str = "step-2-an-access-log";

#[tokio::test]
async fn a_message_counts_when_its_last_byte_has_passed() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A message counts when its last byte has passed, and once");
    let mut counter = MessageCounter::default();
    let bytes = message(3);
    for (number, byte) in bytes.iter().enumerate() {
        let expected = u64::from(number + 1 == bytes.len());
        let seen = counter.read(&[*byte]);
        let which = format!("byte {} of {} ends {expected} messages", number + 1, bytes.len());
        rule.holds(seen == expected, which, seen);
    }
    rule.holds(counter.read(&[]) == 0, "an empty chunk ends no message", "another");
    trial.passed()
}

#[tokio::test]
async fn a_message_may_be_empty() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A message of length zero is a message: it ends with its prefix");
    let mut counter = MessageCounter::default();
    rule.holds(counter.read(&[0, 0, 0, 0]) == 0, "four bytes of a prefix end no message", "one");
    rule.same(1, counter.read(&[0]));
    rule.same(3, counter.read(&[0; 15]));
    trial.passed()
}

#[tokio::test]
async fn a_length_is_four_bytes_the_highest_first() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("The length is four bytes, the highest first; the byte before it is no part of it");
    let mut counter = MessageCounter::default();
    let length = 0x0001_0203;
    let mut bytes = message(length);
    bytes[0] = 1; // compressed
    let last = bytes.pop().map_or(0, u64::from);
    rule.holds(last == u64::from(b'm'), "a payload", last);
    let expected = format!("a message of {length} bytes has not ended one byte before its end");
    rule.holds(counter.read(&bytes) == 0, expected, "it has");
    rule.same(1, counter.read(b"m"));

    // Four gigabytes are announced. Nobody needs to keep them.
    rule.same(0, counter.read(&[0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    rule.same(0, counter.read(&[0; 1000]));
    trial.passed()
}

#[tokio::test]
async fn chunks_are_cut_anywhere() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("However the bytes are cut into chunks, the messages are the same");
    let bytes = [message(2), message(0), message(7), message(1)].concat();
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let mut counter = MessageCounter::default();
            let chunks = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            let seen: u64 = chunks.iter().map(|chunk| counter.read(chunk)).sum();
            let lengths = chunks.map(<[u8]>::len);
            rule.holds(seen == 4, format_args!("4 messages in chunks of {lengths:?} bytes"), seen);
        }
    }
    trial.passed()
}
