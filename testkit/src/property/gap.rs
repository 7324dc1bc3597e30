use super::{
    Violation,
    registry::{Course, change},
};
use crate::{Event, Seen, Told};
use std::collections::BTreeMap;

/// A watcher is told a snapshot first. From there each delta is the change that came next, or a fresh snapshot takes it
/// further on: nothing is left out, nothing comes twice, nothing goes back.
///
/// A snapshot may be as old as the beginning of the watch, less the one change that was under way then.
pub fn no_gap(events: &[Event]) -> Result<(), Violation> {
    let course = Course::of(events);
    let mut changes = 0;
    // After how many changes each watcher may stand; as long as it was told nothing, the least that it may be shown.
    let mut watchers: BTreeMap<u32, (Vec<usize>, usize)> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        changes += usize::from(change(&event.seen).is_some());
        let (watcher, told) = match &event.seen {
            Seen::WatchBegan { watcher } => {
                watchers.insert(*watcher, (Vec::new(), changes.saturating_sub(1)));
                continue;
            }
            Seen::WatcherTold { watcher, told } => (watcher, told),
            _ => continue,
        };
        let (stands, oldest) = watchers.entry(*watcher).or_insert((Vec::new(), 0));
        let violation = |expected| Err(Violation { at, expected, seen: told.to_string() });
        let now: Vec<usize> = match told {
            Told::Snapshot(all) => (*oldest..=changes).filter(|stand| course.after(*stand) == all).collect(),
            _ if stands.is_empty() => {
                return violation(format!("watcher {watcher} is told a snapshot before anything else"));
            }
            delta => {
                let next = |stand: &usize| *stand < changes && course.next(*stand) == Some(delta);
                stands.iter().filter(|stand| next(stand)).map(|stand| stand + 1).collect()
            }
        };
        let Some(least) = now.first() else {
            let next = stands.first().filter(|stand| **stand < changes).and_then(|stand| course.next(*stand));
            return violation(match (told, next) {
                (Told::Snapshot(_), _) => {
                    format!(
                        "a snapshot shows watcher {watcher} all that there is, at a moment not before the last"
                    )
                }
                (_, Some(next)) => {
                    format!(
                        "watcher {watcher} is told the change that came next, {next}, or a fresh snapshot"
                    )
                }
                (_, None) => format!("watcher {watcher} is told nothing: nothing has changed since"),
            });
        };
        (*oldest, *stands) = (*least, now);
    }
    Ok(())
}
