//! A history drawn as text, one line an event: what a learner reads first when a rule was broken.

mod words;

pub(crate) use words::line;

use crate::Event;
use std::{collections::BTreeSet, iter};

/// The most lines that help a reader.
const MOST: usize = 40;

/// Of these, how many show what came after the marked one.
const AFTER: usize = 8;

/// The longest block of events that is looked for when a history repeats itself, such as the four of a unary call.
const LONGEST_BLOCK: usize = 6;

/// A block that is there so often in a row is drawn once.
const MANY: usize = 3;

/// Draws the last events of a history, oldest first. The last line is marked: it is where a rule gave up.
/// Events that come again and again, such as polling, are drawn once and counted; also what one watcher after the other
/// is told.
pub fn timeline(events: &[Event]) -> Vec<String> {
    let mut lines = fold(events);
    if let Some(last) = lines.last_mut() {
        last.replace_range(..1, MARK);
    }
    let last = lines.len().saturating_sub(1);
    shorten(lines, last)
}

/// Draws the event at an index, which is marked, and what was around it.
pub(crate) fn timeline_around(events: &[Event], at: usize) -> Vec<String> {
    // Folded apart, so that the marked event is always a line of its own.
    let mut lines = fold(&events[..at]);
    let marked = lines.len();
    lines.push(line(MARK, &events[at]));
    lines.extend(fold(&events[at + 1..]));
    shorten(lines, marked)
}

const MARK: &str = "▸";

/// One line an event, and one for all the times that a block comes again.
fn fold(events: &[Event]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at = 0;
    while at < events.len() {
        let Repeated { length, times, watchers } = repeated_block(&events[at..]);
        lines.extend(events[at..at + length].iter().map(|event| line(" ", event)));
        at += length * times;
        if times > 1 {
            let last = &events[at - 1];
            let place = words::place(&last.seen).map(|place| format!(", {place}")).unwrap_or_default();
            let more = match watchers.as_slice() {
                [] => format!("{} times more", times - 1),
                // Which ones: the one who is not told may be what it is about.
                [_, others @ ..] => format!("the same for watchers {}", words::numbers(others)),
            };
            lines.push(format!("  {:<9} … and {more}, until +{} ms{place}", "", last.at.as_millis()));
        }
    }
    lines
}

/// The lines around a marked one, if there are too many.
fn shorten(mut lines: Vec<String>, marked: usize) -> Vec<String> {
    let first = marked.saturating_sub(MOST - 1 - AFTER).min(lines.len().saturating_sub(MOST));
    let later = lines.len().saturating_sub(first + MOST);
    lines.truncate(first + MOST);
    if later > 0 {
        lines.push(format!("  … {later} later {}", lines_of(later)));
    }
    if first > 0 {
        lines.splice(..first, [format!("  … {first} earlier {}", lines_of(first))]);
    }
    lines
}

fn lines_of(count: usize) -> &'static str {
    if count == 1 { "line" } else { "lines" }
}

/// A block of events, and how often it is there in a row.
struct Repeated {
    length: usize,
    times: usize,
    /// Whose it is each time, where that is all that differs.
    watchers: Vec<u32>,
}

/// The block that these events begin with. It is there once, mostly.
fn repeated_block(events: &[Event]) -> Repeated {
    let like = |a: &Event, b: &Event| words::shape(&a.seen) == words::shape(&b.seen);
    for length in 1..=LONGEST_BLOCK.min(events.len()) {
        let (block, rest) = events.split_at(length);
        let repeats =
            |next: &&[Event]| next.len() == length && block.iter().zip(*next).all(|(a, b)| like(a, b));
        let times = 1 + rest.chunks(length).take_while(repeats).count();
        if times >= MANY {
            return Repeated { length, times, watchers: Vec::new() };
        }
        let watchers = watchers_of_the_same(events, length);
        if watchers.len() >= MANY {
            return Repeated { length, times: watchers.len(), watchers };
        }
    }
    Repeated { length: 1, times: 1, watchers: Vec::new() }
}

/// The watchers in a row, each once, that are told what the first of them is told in so many events.
fn watchers_of_the_same(events: &[Event], length: usize) -> Vec<u32> {
    let of_one = |block: &[Event]| -> Option<(u32, Vec<String>)> {
        let all: Option<Vec<_>> = block.iter().map(|event| words::of_watcher(&event.seen)).collect();
        let (numbers, told): (Vec<u32>, Vec<String>) = all?.into_iter().unzip();
        numbers.iter().all(|number| *number == numbers[0]).then(|| (numbers[0], told))
    };
    let mut blocks = events.chunks(length).map_while(of_one);
    let Some((first, told)) = blocks.next() else { return Vec::new() };
    let mut known = BTreeSet::from([first]);
    let others = blocks.take_while(|(watcher, same)| *same == told && known.insert(*watcher));
    iter::once(first).chain(others.map(|(watcher, _)| watcher)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Place, Seen, Told};
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

    /// A record's way: produced, handled with success.
    fn record(offset: i64) -> [Event; 3] {
        let record = Place { topic: "orders".into(), partition: 0, offset };
        let done = Seen::Handled { record: record.clone(), attempt: 1, answer: Answer::Done };
        let ms = offset.unsigned_abs();
        [
            at(ms, Seen::Produced { record: record.clone(), key: format!("k{offset}") }),
            at(ms, Seen::Handling { record, attempt: 1 }),
            at(ms, done),
        ]
    }

    #[test]
    fn records_that_go_the_same_way_are_drawn_once() {
        assert_eq!(
            timeline(&(0..50).flat_map(record).collect::<Vec<_>>()),
            [
                "  +0 ms     produced     orders/0@0    key=k0",
                "  +0 ms     handle #1    orders/0@0",
                "  +0 ms     handle #1    orders/0@0    → done",
                "▸           … and 49 times more, until +49 ms, orders/0@49",
            ]
        );
    }

    #[test]
    fn an_instance_that_comes_and_goes_is_drawn_once() {
        let comes_and_goes = |ms: u64| {
            let (id, address) = ("a".to_owned(), format!("10.0.0.1:{ms}"));
            [at(ms, Seen::InstanceCame { id: id.clone(), address }), at(ms, Seen::InstanceLeft { id })]
        };
        assert_eq!(
            timeline(&(1..=50).flat_map(comes_and_goes).collect::<Vec<_>>()),
            [
                "  +1 ms     registry     a comes, at 10.0.0.1:1",
                "  +1 ms     registry     a leaves",
                "▸           … and 49 times more, until +50 ms",
            ]
        );
    }

    fn watcher(watcher: u32, address: &str) -> [Event; 2] {
        let told = Told::Added { id: "a".into(), address: address.into() };
        [at(watcher.into(), Seen::WatchBegan { watcher }), at(7, Seen::WatcherTold { watcher, told })]
    }

    #[test]
    fn watchers_that_are_told_the_same_are_drawn_once() {
        assert_eq!(
            timeline(&(1..=38).flat_map(|number| watcher(number, "10.0.0.1:1")).collect::<Vec<_>>()),
            [
                "  +1 ms     watcher 1    begins",
                "  +7 ms     watcher 1  ← added a at 10.0.0.1:1",
                "▸           … and the same for watchers 2–38, until +7 ms",
            ]
        );
    }

    #[test]
    fn watchers_that_are_told_something_else_or_once_more_are_drawn_each() {
        let others = (1..=9).flat_map(|number| watcher(number, &format!("10.0.0.1:{number}")));
        assert_eq!(timeline(&others.collect::<Vec<_>>()).len(), 18);
        let in_turns = (0..9).flat_map(|turn| watcher(turn % 2, "10.0.0.1:1"));
        let last = |events: Vec<Event>| timeline(&events).last().cloned().unwrap();
        assert_eq!(last(in_turns.collect()), "▸ +7 ms     watcher 0  ← added a at 10.0.0.1:1");
    }

    #[test]
    fn a_marked_event_is_a_line_of_its_own_amid_repeats() {
        let events: Vec<_> = (0..50).flat_map(record).collect();
        assert_eq!(
            timeline_around(&events, 3 * 20 + 1)[3..],
            [
                "            … and 19 times more, until +19 ms, orders/0@19",
                "  +20 ms    produced     orders/0@20   key=k20",
                "▸ +20 ms    handle #1    orders/0@20",
                "  +20 ms    handle #1    orders/0@20   → done",
                "  +21 ms    produced     orders/0@21   key=k21",
                "  +21 ms    handle #1    orders/0@21",
                "            … and 28 times more, until +49 ms, orders/0@49",
                "  +49 ms    handle #1    orders/0@49   → done",
            ]
        );
    }

    #[test]
    fn a_marked_event_is_in_sight_wherever_it_stands() {
        let events: Vec<_> = (0..100).map(|n| at(n, Seen::Did(format!("event {n}")))).collect();
        for marked in 0..events.len() {
            let lines = timeline_around(&events, marked);
            let is_marked = |line: &&String| line.starts_with(MARK);
            let only = lines.iter().filter(is_marked).collect::<Vec<_>>();
            assert_eq!(only, [&format!("▸ {:<9} event {marked}", format!("+{marked} ms"))]);
            let at = lines.iter().position(|line| line.starts_with(MARK)).unwrap();
            assert!(at >= marked.min(30) && lines.len() - at > (99 - marked).min(AFTER), "{lines:#?}");
            assert!(lines.len() <= MOST + 2, "{lines:#?}");
            let left_out = |which: &str| {
                let words = |line: &String| -> Option<usize> {
                    let count: usize = line.trim().strip_prefix("… ")?.split(' ').next()?.parse().unwrap();
                    let ending = format!("{count} {which} {}", lines_of(count));
                    line.ends_with(&ending).then_some(count)
                };
                lines.iter().find_map(words).unwrap_or(0)
            };
            let told = lines.iter().filter(|line| line.contains(" event ")).count();
            assert_eq!(told + left_out("earlier") + left_out("later"), 100);
        }
    }
}
