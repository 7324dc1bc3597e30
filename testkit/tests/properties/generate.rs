// Histories of right code: what it did, in any interleaving of its partitions, seen by observers who may be late.

use proptest::prelude::*;
use std::{collections::BTreeSet, time::Duration};
use testkit::{Answer, Event, Place, Seen};

pub const RETRIES: u32 = 3;

/// The least wait after the n-th failure.
pub fn wait(failures: u32) -> Duration {
    Duration::from_millis(10 << failures)
}

pub fn place(partition: i32, offset: i64) -> Place {
    Place { topic: "orders".into(), partition, offset }
}

/// What befalls one record: so many failures, and whether it is committed when it is finished.
#[derive(Clone, Debug)]
struct Fate {
    failures: u32,
    committed: bool,
}

/// A history under way.
#[derive(Default)]
struct Story {
    now: Duration,
    events: Vec<Event>,
    /// What has happened and was not yet observed.
    unseen: Vec<Seen>,
}

impl Story {
    fn happens(&mut self, seen: Seen) {
        self.events.push(Event { at: self.now, seen });
    }

    /// The observers look: at the first `count` of what there is to see.
    fn look(&mut self, count: usize) {
        for seen in self.unseen.drain(..count.min(self.unseen.len())).collect::<Vec<_>>() {
            self.happens(seen);
        }
    }
}

/// A partition and where its consumer stands in it.
struct Consumer {
    partition: i32,
    fates: Vec<Fate>,
    offset: usize,
    failed: u32,
    /// A call is under way.
    calling: bool,
    not_before: Duration,
}

impl Consumer {
    fn is_over(&self) -> bool {
        self.offset == self.fates.len()
    }

    /// The next thing that it does.
    fn step(&mut self, story: &mut Story) {
        let record = place(self.partition, i64::try_from(self.offset).unwrap());
        let fate = self.fates[self.offset].clone();
        let attempt = self.failed + 1;
        if !self.calling {
            story.now = story.now.max(self.not_before);
            self.calling = true;
            return story.happens(Seen::Handling { record, attempt });
        }
        self.calling = false;
        let fails = fate.failures > self.failed;
        let answer = if fails { Answer::Failed("bank is down".into()) } else { Answer::Done };
        story.happens(Seen::Handled { record: record.clone(), attempt, answer });
        if fails {
            self.failed += 1;
            if self.failed <= RETRIES {
                self.not_before = story.now + wait(self.failed);
                return;
            }
            let at =
                Place { topic: "dead".into(), partition: 0, offset: i64::try_from(self.offset).unwrap() };
            story.unseen.push(Seen::DeadLettered { record, at });
        }
        (self.failed, self.offset) = (0, self.offset + 1);
        if fate.committed {
            let offset = i64::try_from(self.offset).unwrap();
            let committed = Seen::Committed { topic: "orders".into(), partition: self.partition, offset };
            // Somebody else looks at commits than at dead letters, and may be the quicker one.
            let at = story.unseen.iter().position(|seen| matches!(seen, Seen::DeadLettered { .. }));
            let last = story.unseen.iter().rposition(|seen| matches!(seen, Seen::Committed { .. }));
            let at = at.unwrap_or(story.unseen.len()).max(last.map_or(0, |last| last + 1));
            story.unseen.insert(at, committed);
        }
    }
}

/// Right code's histories. `failing`: each has records that fail.
pub fn right_code() -> impl Strategy<Value = Vec<Event>> {
    let fate =
        (0..=RETRIES + 1, any::<bool>()).prop_map(|(failures, committed)| Fate { failures, committed });
    let partitions = prop::collection::vec(prop::collection::vec(fate, 2..5), 1..4);
    // Which partition goes on, how much is seen, how much time passes.
    let turns = prop::collection::vec((any::<prop::sample::Index>(), 0..3usize, 0..30u64), 96);
    (partitions, turns, any::<bool>()).prop_map(|(partitions, turns, heard_late)| {
        let mut story = Story::default();
        let mut produced = Vec::new();
        let mut consumers = Vec::new();
        for (partition, fates) in (0..).zip(partitions) {
            for offset in 0..i64::try_from(fates.len()).unwrap() {
                let key = format!("k{offset}");
                produced.push(Seen::Produced { record: place(partition, offset), key });
            }
            let (offset, failed, calling, not_before) = (0, 0, false, Duration::ZERO);
            consumers.push(Consumer { partition, fates, offset, failed, calling, not_before });
        }
        // A producer may hear of its record after the record was handled.
        match heard_late {
            false => produced.into_iter().for_each(|seen| story.happens(seen)),
            true => story.unseen = produced,
        }
        for (which, seen, millis) in turns {
            consumers.retain(|consumer| !consumer.is_over());
            if consumers.is_empty() {
                break;
            }
            which.get_mut(&mut consumers).step(&mut story);
            story.now += Duration::from_millis(millis);
            story.look(seen);
        }
        assert!(consumers.iter().all(Consumer::is_over), "there are turns enough");
        story.look(usize::MAX);
        story.happens(Seen::Did("the end".into()));
        story.events
    })
}

/// The same, killed somewhere and started again: from the end or from where it was committed. Not all of it is finished.
pub fn right_code_started_twice() -> impl Strategy<Value = Vec<Event>> {
    (right_code(), any::<prop::sample::Index>()).prop_map(|(events, cut)| {
        let killed = cut.index(events.len());
        let mut first = events[..killed].to_vec();
        let committed = |partition: i32| {
            let offsets = first.iter().filter_map(|event| match &event.seen {
                Seen::Committed { partition: p, offset, .. } if *p == partition => Some(*offset),
                _ => None,
            });
            offsets.max().unwrap_or(0)
        };
        let now = first.last().map_or(Duration::ZERO, |event| event.at);
        let of_second_life = |event: &&Event| match &event.seen {
            Seen::Handling { record, .. } | Seen::Handled { record, .. } => {
                record.offset >= committed(record.partition)
            }
            Seen::Committed { partition, offset, .. } => *offset > committed(*partition),
            Seen::Produced { record, .. } => !first
                .iter()
                .any(|event| matches!(&event.seen, Seen::Produced { record: r, .. } if r == record)),
            _ => true,
        };
        let second: Vec<_> = events
            .iter()
            .filter(of_second_life)
            .map(|event| Event { at: now + event.at, seen: event.seen.clone() })
            .collect();
        first.push(Event { at: now, seen: Seen::MembersChanged("it is killed and started again".into()) });
        first.extend(second);
        first
    })
}

/// The records of a history that have no dead letter.
pub fn handled_with_success(events: &[Event]) -> BTreeSet<Place> {
    let done = events.iter().filter_map(|event| match &event.seen {
        Seen::Handled { record, answer: Answer::Done, .. } => Some(record.clone()),
        _ => None,
    });
    done.collect()
}
