//! A history drawn as text, one line an event: what a learner reads first when a rule was broken.

use crate::{Event, Seen};

/// The most lines that help a reader. Of a longer history the beginning is left out.
const MOST: usize = 40;

/// Draws the last events of a history, oldest first. The last line is marked: it is where a rule gave up.
pub fn timeline(events: &[Event]) -> Vec<String> {
    let skipped = events.len().saturating_sub(MOST);
    let mut lines = Vec::new();
    if skipped > 0 {
        lines.push(format!("  … {skipped} earlier events"));
    }
    for (index, event) in events.iter().enumerate().skip(skipped) {
        let mark = if index + 1 == events.len() { "▸" } else { " " };
        let time = format!("+{} ms", event.at.as_millis());
        lines.push(format!("{mark} {time:<9} {}", describe(&event.seen)));
    }
    lines
}

fn describe(seen: &Seen) -> String {
    match seen {
        Seen::Called { call, method } => format!("call {call}   {method}"),
        Seen::Sent { call, message } => format!("call {call} → {}", message_or_empty(message)),
        Seen::Received { call, message } => format!("call {call} ← {}", message_or_empty(message)),
        Seen::Ended { call, status } => format!("call {call} ← ended: {status}"),
        Seen::Dropped { call } => format!("call {call} → client went away"),
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
        assert_eq!(lines[0], "  … 60 earlier events");
        assert!(lines[MOST].ends_with("event 99"));
    }
}
