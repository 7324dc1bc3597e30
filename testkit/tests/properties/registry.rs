// A registry and those who watch it: right histories, whatever the pace of the watchers, and each way to be wrong.

use super::{all_like, at, insert, pick};
use proptest::{prelude::*, sample::Index};
use std::{collections::BTreeMap, time::Duration};
use testkit::{
    Event, Seen, Told,
    property::{Violation, every_watcher_converges, no_gap, no_resurrection},
};

type View = BTreeMap<String, String>;

fn all(events: &[Event]) -> Result<(), Violation> {
    no_gap(events)?;
    no_resurrection(events)?;
    every_watcher_converges(events)
}

/// One watcher's way through the changes.
struct Watcher {
    number: u32,
    /// After how many changes it stands; `None` before its first snapshot.
    stands: Option<usize>,
}

/// A history under way.
#[derive(Default)]
struct Story {
    events: Vec<Event>,
    states: Vec<View>,
    changes: Vec<Seen>,
    watchers: Vec<Watcher>,
    addresses: usize,
}

impl Story {
    fn happens(&mut self, seen: Seen) {
        let at = Duration::from_millis(u64::try_from(self.events.len()).unwrap());
        self.events.push(Event { at, seen });
    }

    /// An instance comes, moves or leaves.
    fn change(&mut self, id: &str, stays: bool) {
        let mut state = self.states.last().cloned().unwrap_or_default();
        let seen = if stays || !state.contains_key(id) {
            self.addresses += 1;
            let address = format!("10.0.0.1:{}", self.addresses);
            state.insert(id.into(), address.clone());
            Seen::InstanceCame { id: id.into(), address }
        } else {
            state.remove(id);
            Seen::InstanceLeft { id: id.into() }
        };
        self.states.push(state);
        self.changes.push(seen.clone());
        self.happens(seen);
    }

    /// A watcher reads what comes next, or a fresh snapshot that skips `ahead` changes.
    fn read(&mut self, which: usize, ahead: Option<usize>) {
        let newest = self.changes.len();
        let Watcher { number, stands } = self.watchers[which];
        let (to, told) = match (stands, ahead) {
            (Some(stands), None) if stands == newest => return,
            (Some(stands), None) => (stands + 1, delta(&self.changes[stands])),
            (Some(stands), Some(ahead)) => self.snapshot((stands + ahead).min(newest)),
            // The change that was recorded last need not have happened yet.
            (None, ahead) => self.snapshot(newest - ahead.map_or(0, |ahead| (ahead % 2).min(newest))),
        };
        self.watchers[which].stands = Some(to);
        self.happens(Seen::WatcherTold { watcher: number, told });
    }

    fn snapshot(&self, after: usize) -> (usize, Told) {
        let state = after.checked_sub(1).map_or_else(View::new, |last| self.states[last].clone());
        (after, Told::Snapshot(state))
    }
}

fn delta(change: &Seen) -> Told {
    match change {
        Seen::InstanceCame { id, address } => Told::Added { id: id.clone(), address: address.clone() },
        Seen::InstanceLeft { id } => Told::Removed { id: id.clone() },
        _ => unreachable!(),
    }
}

/// What a right registry and its watchers do. Each address is used once.
fn right_registry() -> impl Strategy<Value = Vec<Event>> {
    let turn = (0..8u32, 0..3usize, any::<bool>(), any::<Index>(), 0..4usize);
    prop::collection::vec(turn, 20..80).prop_map(|turns| {
        let mut story = Story::default();
        for (what, id, stays, which, ahead) in turns {
            match what {
                0..=2 => story.change(["a", "b", "c"][id], stays),
                3 => {
                    let number = u32::try_from(story.watchers.len()).unwrap();
                    story.watchers.push(Watcher { number, stands: None });
                    story.happens(Seen::WatchBegan { watcher: number });
                    // Right away: what it is shown is what there was then.
                    story.read(story.watchers.len() - 1, Some(ahead));
                }
                _ if story.watchers.is_empty() => {}
                4 => story.read(which.index(story.watchers.len()), Some(ahead)),
                _ => story.read(which.index(story.watchers.len()), None),
            }
        }
        for which in 0..story.watchers.len() {
            while story.watchers[which].stands != Some(story.changes.len()) {
                story.read(which, None);
            }
        }
        story.events
    })
}

fn deltas(events: &[Event]) -> Vec<usize> {
    all_like(events, |seen| {
        matches!(seen, Seen::WatcherTold { told: Told::Added { .. } | Told::Removed { .. }, .. })
    })
}

/// The next thing after this that the same watcher is told, and whether it is a delta.
fn next_of_same(events: &[Event], this: usize) -> Option<(usize, bool)> {
    let Seen::WatcherTold { watcher, .. } = &events[this].seen else { unreachable!() };
    let rest = events.iter().enumerate().skip(this + 1);
    rest.filter_map(|(at, event)| match &event.seen {
        Seen::WatcherTold { watcher: other, told } if other == watcher => {
            Some((at, !matches!(told, Told::Snapshot(_))))
        }
        _ => None,
    })
    .next()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_right_registry_is_never_condemned(events in right_registry()) {
        prop_assert_eq!(all(&events), Ok(()));
    }

    #[test]
    fn a_delta_that_is_left_out_is_a_gap_at_the_next_one(mut events in right_registry(), which: Index) {
        let followed: Vec<_> = deltas(&events).into_iter()
            .filter(|this| matches!(next_of_same(&events, *this), Some((_, true)))).collect();
        let lost = pick(&followed, which)?;
        let (next, _) = next_of_same(&events, lost).unwrap();
        events.remove(lost);
        prop_assert_eq!(at(no_gap(&events)), Some(next - 1));
    }

    #[test]
    fn a_watcher_who_misses_the_last_change_does_not_converge(mut events in right_registry(), which: Index) {
        let last: Vec<_> = deltas(&events).into_iter()
            .filter(|this| next_of_same(&events, *this).is_none()).collect();
        let lost = pick(&last, which)?;
        let Seen::WatcherTold { watcher: poor, .. } = events.remove(lost).seen else { unreachable!() };
        let last = *all_like(&events, |seen| {
            matches!(seen, Seen::WatcherTold { watcher, .. } if *watcher == poor)
        }).last().unwrap();
        prop_assert_eq!(no_gap(&events), Ok(()));
        prop_assert_eq!(at(every_watcher_converges(&events)), Some(last));
    }

    #[test]
    fn a_watcher_who_is_told_nothing_does_not_converge(mut events in right_registry()) {
        let here = events.len();
        prop_assume!(here > 0);
        insert(&mut events, here, Seen::WatchBegan { watcher: 999 });
        prop_assert_eq!(at(every_watcher_converges(&events)), Some(here));
    }

    #[test]
    fn deltas_in_the_wrong_order_are_condemned(mut events in right_registry(), which: Index) {
        let followed: Vec<_> = deltas(&events).into_iter()
            .filter(|this| matches!(next_of_same(&events, *this), Some((_, true)))).collect();
        let here = pick(&followed, which)?;
        let (next, _) = next_of_same(&events, here).unwrap();
        let (one, other) = (events[here].seen.clone(), events[next].seen.clone());
        (events[here].seen, events[next].seen) = (other, one);
        prop_assert_eq!(at(no_gap(&events)), Some(here));
    }

    #[test]
    fn a_delta_before_the_snapshot_is_condemned(mut events in right_registry(), which: Index) {
        let deltas = deltas(&events);
        let this = pick(&deltas, which)?;
        let Seen::WatcherTold { told, .. } = events[this].seen.clone() else { unreachable!() };
        insert(&mut events, this, Seen::WatchBegan { watcher: 999 });
        insert(&mut events, this + 1, Seen::WatcherTold { watcher: 999, told });
        let violation = no_gap(&events).unwrap_err();
        prop_assert_eq!(violation.at, this + 1);
        prop_assert!(violation.expected.contains("a snapshot before anything else"), "{:?}", violation);
    }

    #[test]
    fn a_delta_that_comes_twice_is_condemned(mut events in right_registry(), which: Index) {
        let deltas = deltas(&events);
        let this = pick(&deltas, which)?;
        let again = events[this].seen.clone();
        insert(&mut events, this + 1, again);
        prop_assert_eq!(at(no_gap(&events)), Some(this + 1));
    }

    #[test]
    fn a_snapshot_older_than_the_last_word_is_condemned(mut events in right_registry(), which: Index) {
        // Each address comes once: a state with one that has gone never comes again.
        let removed = all_like(&events, |seen| {
            matches!(seen, Seen::WatcherTold { told: Told::Removed { .. }, .. })
        });
        let this = pick(&removed, which)?;
        let Seen::WatcherTold { watcher, .. } = events[this].seen.clone() else { unreachable!() };
        let stale = Told::Snapshot(believed(&events[..this], watcher));
        insert(&mut events, this + 1, Seen::WatcherTold { watcher, told: stale });
        prop_assert_eq!(at(no_gap(&events)), Some(this + 1));
    }

    #[test]
    fn what_has_gone_and_comes_back_by_itself_is_condemned(mut events in right_registry(), which: Index) {
        let removed = all_like(&events, |seen| {
            matches!(seen, Seen::WatcherTold { told: Told::Removed { .. }, .. })
        });
        let this = pick(&removed, which)?;
        let Seen::WatcherTold { watcher, told: Told::Removed { id } } = events[this].seen.clone() else { unreachable!() };
        let address = believed(&events[..this], watcher)[&id].clone();
        insert(&mut events, this + 1, Seen::WatcherTold { watcher, told: Told::Added { id, address } });
        prop_assert_eq!(at(no_resurrection(&events)), Some(this + 1));
        prop_assert_eq!(at(no_gap(&events)), Some(this + 1));
    }

    #[test]
    fn what_never_was_is_condemned(mut events in right_registry(), which: Index) {
        let told = all_like(&events, |seen| matches!(seen, Seen::WatcherTold { .. }));
        let this = pick(&told, which)?;
        let Seen::WatcherTold { watcher, .. } = events[this].seen.clone() else { unreachable!() };
        let told = Told::Added { id: "a".into(), address: "nowhere:1".into() };
        insert(&mut events, this + 1, Seen::WatcherTold { watcher, told });
        prop_assert_eq!(at(no_resurrection(&events)), Some(this + 1));
        prop_assert_eq!(at(no_gap(&events)), Some(this + 1));
    }
}

/// What a watcher believes after these events.
fn believed(events: &[Event], of: u32) -> View {
    let mut view = View::new();
    for event in events {
        match &event.seen {
            Seen::WatcherTold { watcher, told } if *watcher == of => match told {
                Told::Snapshot(all) => view.clone_from(all),
                Told::Added { id, address } => _ = view.insert(id.clone(), address.clone()),
                Told::Removed { id } => _ = view.remove(id),
            },
            _ => {}
        }
    }
    view
}
