//! A history drawn as text, one line an event: what a learner reads first when a rule was broken.

use crate::{Event, Seen};

/// The most lines that help a reader. Of a longer history the beginning is left out.
const MOST: usize = 40;

/// The longest block of events that is looked for when a history repeats itself, such as the four of a unary call.
const LONGEST_BLOCK: usize = 6;

/// A block that is there so often in a row is drawn once.
const MANY: usize = 3;

/// Draws the last events of a history, oldest first. The last line is marked: it is where a rule gave up.
/// Events that come again and again, such as polling, are drawn once and counted.
pub fn timeline(events: &[Event]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at = 0;
    while at < events.len() {
        let (length, times) = repeated_block(&events[at..]);
        lines.extend(events[at..at + length].iter().map(|event| line(" ", event)));
        at += length * times;
        if times > 1 {
            let again = format!("and {} times more", times - 1);
            lines.push(format!("  {:<9} … {again}, until +{} ms", "", events[at - 1].at.as_millis()));
        }
    }
    if let (Some(last), Some(event)) = (lines.last_mut(), events.last()) {
        if last.contains(" … and ") {
            last.replace_range(..1, "▸");
        } else {
            *last = line("▸", event);
        }
    }
    let skipped = lines.len().saturating_sub(MOST);
    if skipped > 0 {
        lines.drain(..skipped);
        lines.insert(0, format!("  … {skipped} earlier lines"));
    }
    lines
}

/// How long the block is that these events begin with, and how often it is there in a row. Once, mostly.
fn repeated_block(events: &[Event]) -> (usize, usize) {
    let like = |a: &Event, b: &Event| describe(&a.seen, "#") == describe(&b.seen, "#");
    for length in 1..=LONGEST_BLOCK.min(events.len()) {
        let (block, rest) = events.split_at(length);
        let repeats =
            |next: &&[Event]| next.len() == length && block.iter().zip(*next).all(|(a, b)| like(a, b));
        let times = 1 + rest.chunks(length).take_while(repeats).count();
        if times >= MANY {
            return (length, times);
        }
    }
    (1, 1)
}

/// One event as a line.
pub(crate) fn line(mark: &str, event: &Event) -> String {
    let number = match event.seen {
        Seen::Called { call, .. }
        | Seen::Sent { call, .. }
        | Seen::Received { call, .. }
        | Seen::Ended { call, .. }
        | Seen::Dropped { call } => call.to_string(),
        Seen::Did(_) => String::new(),
    };
    let time = format!("+{} ms", event.at.as_millis());
    format!("{mark} {time:<9} {}", describe(&event.seen, &number))
}

/// An event in words; `call` stands for its call's number.
fn describe(seen: &Seen, call: &str) -> String {
    match seen {
        Seen::Called { method, .. } => format!("call {call}   {method}"),
        Seen::Sent { message, .. } => format!("call {call} → {}", message_or_empty(message)),
        Seen::Received { message, .. } => format!("call {call} ← {}", message_or_empty(message)),
        Seen::Ended { status, .. } => format!("call {call} ← ended: {status}"),
        Seen::Dropped { .. } => format!("call {call} → client went away"),
        Seen::Did(what) => what.clone(),
    }
}

/// In protobuf's text format a message of nothing but defaults is no text at all.
fn message_or_empty(message: &str) -> &str {
    if message.is_empty() { "(empty message)" } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64, seen: Seen) -> Event {
        Event { at: Duration::from_millis(ms), seen }
    }

    #[test]
    fn each_event_is_a_line_and_the_last_is_marked() {
        let lines = timeline(&[
            at(0, Seen::Called { call: 1, method: "Health/Check".into() }),
            at(1, Seen::Sent { call: 1, message: String::new() }),
            at(12, Seen::Ended { call: 1, status: "NOT_FOUND".into() }),
        ]);
        assert_eq!(
            lines,
            [
                "  +0 ms     call 1   Health/Check",
                "  +1 ms     call 1 → (empty message)",
                "▸ +12 ms    call 1 ← ended: NOT_FOUND",
            ]
        );
    }

    #[test]
    fn a_long_history_shows_its_end() {
        let events: Vec<_> = (0..100).map(|n| at(n, Seen::Did(format!("event {n}")))).collect();
        let lines = timeline(&events);
        assert_eq!(lines[0], "  … 60 earlier lines");
        assert_eq!(lines.len(), 1 + MOST);
        assert_eq!(lines[MOST], "▸ +99 ms    event 99");
    }

    fn poll(call: u64) -> [Event; 2] {
        let method = "Health/Check".to_owned();
        [at(call, Seen::Called { call, method }), at(call, Seen::Ended { call, status: "OK".into() })]
    }

    #[test]
    fn what_comes_again_and_again_is_drawn_once_and_counted() {
        let mut events: Vec<_> = (1..=20).flat_map(poll).collect();
        assert_eq!(
            timeline(&events),
            [
                "  +1 ms     call 1   Health/Check",
                "  +1 ms     call 1 ← ended: OK",
                "▸           … and 19 times more, until +20 ms",
            ]
        );
        events.push(at(30, Seen::Did("the end".into())));
        assert_eq!(
            timeline(&events)[2..],
            ["            … and 19 times more, until +20 ms", "▸ +30 ms    the end",]
        );
    }

    #[test]
    fn twice_is_not_often() {
        assert_eq!(timeline(&(1..=2).flat_map(poll).collect::<Vec<_>>()).len(), 4);
        assert!(timeline(&[]).is_empty());
    }
}
