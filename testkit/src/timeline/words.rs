//! One event as one line, in columns.

use crate::{Answer, Event, Seen, Told};

/// The longest key, the longest error and the longest message that a line has room for.
const KEY: usize = 20;
const ERROR: usize = 36;
const MESSAGE: usize = 120;

/// One event as a line.
pub(crate) fn line(mark: &str, event: &Event) -> String {
    let number = match event.seen {
        Seen::Called { call, .. }
        | Seen::Sent { call, .. }
        | Seen::Received { call, .. }
        | Seen::Ended { call, .. }
        | Seen::Dropped { call } => call.to_string(),
        _ => String::new(),
    };
    let time = format!("+{} ms", event.at.as_millis());
    format!("{mark} {time:<9} {}", describe(&event.seen, &number))
}

/// What two events share when one is the other over again: another call, or the next record.
pub(super) fn shape(seen: &Seen) -> String {
    let mut seen = seen.clone();
    match &mut seen {
        Seen::Produced { record, key } => {
            record.offset = 0;
            key.clear();
        }
        Seen::Handling { record, .. } | Seen::Handled { record, .. } => record.offset = 0,
        Seen::DeadLettered { record, at } => (record.offset, at.offset) = (0, 0),
        Seen::Committed { offset, .. } => *offset = 0,
        // An instance that comes and goes, each time somewhere else.
        Seen::InstanceCame { address, .. } | Seen::WatcherTold { told: Told::Added { address, .. }, .. } => {
            address.clear()
        }
        _ => {}
    }
    describe(&seen, "#")
}

/// Whose event it is, if it is a watcher's, and what another watcher's shares with it that is the same: all but the
/// number.
pub(super) fn of_watcher(seen: &Seen) -> Option<(u32, String)> {
    let mut seen = seen.clone();
    let (Seen::WatchBegan { watcher } | Seen::WatcherTold { watcher, .. }) = &mut seen else { return None };
    let number = std::mem::take(watcher);
    Some((number, describe(&seen, "")))
}

/// Which record an event is about, or how far a commit went; nothing for other events.
pub(super) fn place(seen: &Seen) -> Option<String> {
    match seen {
        Seen::Produced { record, .. }
        | Seen::Handling { record, .. }
        | Seen::Handled { record, .. }
        | Seen::DeadLettered { record, .. } => Some(record.to_string()),
        Seen::Committed { topic, partition, offset } => Some(format!("{topic}/{partition} = {offset}")),
        _ => None,
    }
}

/// Numbers in their order, neighbours in one: `2–5, 7, 9, 10`.
pub(super) fn numbers(numbers: &[u32]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|one, next| one + 1 == *next);
    let words = runs.map(|run| match run {
        [first, _, .., last] => format!("{first}–{last}"),
        few => few.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// An event in words; `call` stands for its call's number.
fn describe(seen: &Seen, call: &str) -> String {
    match seen {
        Seen::Called { method, .. } => format!("call {call}   {method}"),
        Seen::Sent { message, .. } => format!("call {call} → {}", message_or_empty(message)),
        Seen::Received { message, .. } => format!("call {call} ← {}", message_or_empty(message)),
        Seen::Ended { status, .. } => format!("call {call} ← ended: {status}"),
        Seen::Dropped { .. } => format!("call {call} → client went away"),
        Seen::Produced { key, .. } if key.is_empty() => columns("produced", seen, ""),
        Seen::Produced { key, .. } => columns("produced", seen, &format!("key={}", short(key, KEY))),
        Seen::Handling { attempt, .. } => columns(&format!("handle #{attempt}"), seen, ""),
        Seen::Handled { attempt, answer, .. } => {
            let answer = match answer {
                Answer::Done => "→ done",
                Answer::Failed(error) => &format!("→ error {:?}", short(error, ERROR)),
                Answer::Dropped => "→ dropped before it had answered",
            };
            columns(&format!("handle #{attempt}"), seen, answer)
        }
        Seen::Committed { .. } => columns("COMMIT", seen, ""),
        Seen::DeadLettered { at, .. } => columns("dead letter", seen, &format!("lies at {at}")),
        Seen::InstanceCame { id, address } => format!("registry     {id} comes, at {address}"),
        Seen::InstanceLeft { id } => format!("registry     {id} leaves"),
        Seen::WatchBegan { watcher } => format!("{:<12} begins", format!("watcher {watcher}")),
        Seen::WatcherTold { watcher, told } => format!("{:<10} ← {told}", format!("watcher {watcher}")),
        Seen::MembersChanged(what) | Seen::Did(what) => what.clone(),
    }
}

fn columns(verb: &str, seen: &Seen, more: &str) -> String {
    let place = place(seen).unwrap_or_default();
    format!("{verb:<11}  {place:<13} {more}").trim_end().to_owned()
}

/// A text of at most so many characters, on one line.
fn short(text: &str, most: usize) -> String {
    let printed = |letter: char| if letter.is_control() { ' ' } else { letter };
    let (cut, end) = if text.chars().count() > most { (most - 1, "…") } else { (most, "") };
    text.chars().map(printed).take(cut).chain(end.chars()).collect()
}

/// In protobuf's text format a message of nothing but defaults is no text at all. One of a megabyte would bury all
/// else.
fn message_or_empty(message: &str) -> String {
    if message.is_empty() { "(empty message)".to_owned() } else { short(message, MESSAGE) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use std::{collections::BTreeMap, time::Duration};

    fn orders(offset: i64) -> Place {
        Place { topic: "orders".into(), partition: 0, offset }
    }

    fn drawn(ms: u64, seen: Seen) -> String {
        line(" ", &Event { at: Duration::from_millis(ms), seen })
    }

    #[test]
    fn what_is_said_of_a_record_stands_in_columns() {
        let failed = Answer::Failed("bank is down".into());
        let at = Place { topic: "dead".into(), partition: 0, offset: 0 };
        assert_eq!(
            [
                drawn(0, Seen::Produced { record: orders(3), key: "k3".into() }),
                drawn(1, Seen::Produced { record: orders(10), key: String::new() }),
                drawn(12, Seen::Handling { record: orders(3), attempt: 1 }),
                drawn(12, Seen::Handled { record: orders(3), attempt: 1, answer: failed }),
                drawn(1200, Seen::Handled { record: orders(3), attempt: 10, answer: Answer::Done }),
                drawn(1201, Seen::Handled { record: orders(4), attempt: 1, answer: Answer::Dropped }),
                drawn(1202, Seen::DeadLettered { record: orders(4), at }),
                drawn(1203, Seen::Committed { topic: "orders".into(), partition: 0, offset: 4 }),
                drawn(1204, Seen::MembersChanged("the consumer is killed".into())),
            ],
            [
                "  +0 ms     produced     orders/0@3    key=k3",
                "  +1 ms     produced     orders/0@10",
                "  +12 ms    handle #1    orders/0@3",
                "  +12 ms    handle #1    orders/0@3    → error \"bank is down\"",
                "  +1200 ms  handle #10   orders/0@3    → done",
                "  +1201 ms  handle #1    orders/0@4    → dropped before it had answered",
                "  +1202 ms  dead letter  orders/0@4    lies at dead/0@0",
                "  +1203 ms  COMMIT       orders/0 = 4",
                "  +1204 ms  the consumer is killed",
            ]
        );
    }

    #[test]
    fn what_a_registry_does_and_tells_stands_side_by_side() {
        let (id, address) = ("a".to_owned(), "10.0.0.1:1".to_owned());
        let told = |told| Seen::WatcherTold { watcher: 2, told };
        let all = BTreeMap::from([(id.clone(), address.clone()), ("b".into(), "10.0.0.1:2".into())]);
        assert_eq!(
            [
                drawn(0, Seen::InstanceCame { id: id.clone(), address: address.clone() }),
                drawn(1, Seen::WatchBegan { watcher: 2 }),
                drawn(1, told(Told::Snapshot(all))),
                drawn(2, Seen::InstanceLeft { id: id.clone() }),
                drawn(2, told(Told::Removed { id: id.clone() })),
                drawn(3, told(Told::Added { id, address })),
                drawn(4, told(Told::Snapshot(BTreeMap::new()))),
                drawn(5, Seen::WatchBegan { watcher: 12 }),
                drawn(5, Seen::WatcherTold { watcher: 12, told: Told::Snapshot(BTreeMap::new()) }),
            ],
            [
                "  +0 ms     registry     a comes, at 10.0.0.1:1",
                "  +1 ms     watcher 2    begins",
                "  +1 ms     watcher 2  ← snapshot: a at 10.0.0.1:1, b at 10.0.0.1:2",
                "  +2 ms     registry     a leaves",
                "  +2 ms     watcher 2  ← removed a",
                "  +3 ms     watcher 2  ← added a at 10.0.0.1:1",
                "  +4 ms     watcher 2  ← snapshot: nobody",
                "  +5 ms     watcher 12   begins",
                "  +5 ms     watcher 12 ← snapshot: nobody",
            ]
        );
    }

    #[test]
    fn neighbours_are_one_run() {
        assert_eq!(numbers(&[10, 3, 2, 5, 4, 7, 9]), "2–5, 7, 9, 10");
        assert_eq!(numbers(&[7]), "7");
    }

    #[test]
    fn long_and_broken_texts_are_made_to_fit_a_line() {
        assert_eq!(short("Grüße", 5), "Grüße");
        assert_eq!(short("Grüße!", 5), "Grüß…");
        assert_eq!(short("one\ntwo", 20), "one two");
        let sent = drawn(0, Seen::Sent { call: 1, message: format!("text:\"{}\"", "x".repeat(100_000)) });
        assert!(sent.starts_with("  +0 ms     call 1 → text:\"xxx") && sent.ends_with("xx…"), "{sent}");
        let key = "0123456789".repeat(9);
        let failed = Answer::Failed(key.clone());
        for seen in [
            Seen::Produced { record: orders(1_000_000), key },
            Seen::Handled { record: orders(1_000_000), attempt: 100, answer: failed },
        ] {
            let line = drawn(99_999, seen);
            assert!(line.chars().count() <= 92, "it fits where the grader draws it: {line}");
            assert!(line.contains('…'));
        }
    }
}
