use super::{Violation, dead, done};
use crate::{Event, Place, Seen};
use std::collections::{BTreeMap, BTreeSet};

/// Every record that was produced was handled with success, or is a dead letter. Ask when the code had its time to
/// handle everything. The offending event is the last that tells of a lost record.
pub fn no_record_is_lost(events: &[Event]) -> Result<(), Violation> {
    let dead = dead(events);
    let done: BTreeSet<&Place> = events.iter().filter_map(done).collect();
    let mut last: BTreeMap<&Place, usize> = BTreeMap::new();
    let mut produced = Vec::new();
    for (at, event) in events.iter().enumerate() {
        match &event.seen {
            Seen::Produced { record, .. } => {
                produced.push(record);
                last.insert(record, at);
            }
            Seen::Handling { record, .. } | Seen::Handled { record, .. } => _ = last.insert(record, at),
            _ => {}
        }
    }
    let Some(lost) = produced.into_iter().find(|record| !done.contains(record) && !dead.contains(record))
    else {
        return Ok(());
    };
    let at = last[lost];
    let handled = !matches!(events[at].seen, Seen::Produced { .. })
        || events.iter().any(|event| matches!(&event.seen, Seen::Handling { record, .. } if record == lost));
    let seen = match handled {
        true => format!("{lost} was handled, never with success, and has no dead letter"),
        false => format!("{lost} was never handled, and has no dead letter"),
    };
    Err(Violation { at, expected: format!("{lost} is handled with success, or is a dead letter"), seen })
}
