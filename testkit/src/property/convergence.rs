use super::{
    Violation,
    registry::{Course, View, Words, apply},
};
use crate::{Event, Seen};
use std::collections::BTreeMap;

/// In the end every watcher believes what is so. Ask when each had its time to be told everything. The offending event
/// is the last of a watcher who believes something else.
pub fn every_watcher_converges(events: &[Event]) -> Result<(), Violation> {
    let mut watchers: BTreeMap<u32, (usize, Option<View>)> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        match &event.seen {
            Seen::WatchBegan { watcher } => _ = watchers.insert(*watcher, (at, None)),
            Seen::WatcherTold { watcher, told } => {
                let (last, view) = watchers.entry(*watcher).or_insert((at, None));
                *last = at;
                apply(view.get_or_insert_default(), told);
            }
            _ => {}
        }
    }
    let course = Course::of(events);
    let astray = watchers.into_iter().find(|(_, (_, view))| view.as_ref() != Some(course.end()));
    let Some((watcher, (at, view))) = astray else { return Ok(()) };
    let believes =
        view.as_ref().map_or("nothing, for it was told nothing".into(), |view| Words(view).to_string());
    Err(Violation {
        at,
        expected: format!("in the end watcher {watcher} knows of {}", Words(course.end())),
        seen: format!("it knows of {believes}"),
    })
}
