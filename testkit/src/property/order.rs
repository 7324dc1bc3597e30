use super::{Violation, dead, done, partition_of, records};
use crate::{Event, Place, Seen};
use std::collections::{BTreeMap, BTreeSet};

/// Within a partition no record is begun while one before it is unfinished, and none is gone back to.
///
/// Where the first call for a partition begins is left open: a group may have begun there. That a record before it was
/// passed over is [`no_record_is_lost`](super::no_record_is_lost)'s to say.
pub fn order_is_kept(events: &[Event]) -> Result<(), Violation> {
    let (records, dead) = (records(events), dead(events));
    let mut finished: BTreeSet<&Place> = BTreeSet::new();
    // Of each partition: the first record begun, and the furthest so far.
    let mut reach: BTreeMap<_, (i64, i64)> = BTreeMap::new();
    let mut members_changed = false;
    for (at, event) in events.iter().enumerate() {
        finished.extend(done(event));
        members_changed |= matches!(event.seen, Seen::MembersChanged(_));
        let Seen::Handling { record, .. } = &event.seen else { continue };
        let (first, furthest) = reach.entry(partition_of(record)).or_insert((record.offset, record.offset));
        if record.offset < *furthest {
            if !members_changed {
                let place = Place { offset: *furthest, ..record.clone() };
                return Err(Violation {
                    at,
                    expected: format!("no call for {record} once {place} was begun"),
                    seen: format!("{record} was handled after {place}"),
                });
            }
            continue;
        }
        let place = |offset: &i64| Place { offset: *offset, ..record.clone() };
        let unfinished = |earlier: &Place| !finished.contains(earlier) && !dead.contains(earlier);
        let between = records[&partition_of(record)].range(*first..record.offset);
        if let Some(earlier) = between.map(place).find(unfinished) {
            return Err(Violation {
                at,
                expected: format!("{record} is begun when {earlier} is finished"),
                seen: format!("{record} was begun while {earlier} was not finished"),
            });
        }
        *furthest = record.offset;
    }
    Ok(())
}
