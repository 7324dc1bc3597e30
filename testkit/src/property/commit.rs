use super::{Violation, dead, done, records};
use crate::{Event, Place, Seen};
use std::collections::BTreeSet;

/// When an offset is seen to be committed, every record below it has been handled with success, or is a dead letter.
///
/// A dead letter may be read later than the commit that follows it. So this alone does not tell a commit that waited
/// for the dead letter from one that did not: for that, let the dead letter be refused.
pub fn commits_pass_no_unfinished_record(events: &[Event]) -> Result<(), Violation> {
    let (records, dead) = (records(events), dead(events));
    let mut finished: BTreeSet<&Place> = BTreeSet::new();
    for (at, event) in events.iter().enumerate() {
        finished.extend(done(event));
        let Seen::Committed { topic, partition, offset } = &event.seen else { continue };
        let Some(known) = records.get(&(topic.as_str(), *partition)) else { continue };
        let place = |offset: i64| Place { topic: topic.clone(), partition: *partition, offset };
        let unfinished = |record: &Place| !finished.contains(record) && !dead.contains(record);
        if let Some(record) = known.range(..offset).map(|offset| place(*offset)).find(unfinished) {
            return Err(Violation {
                at,
                expected: format!(
                    "{topic}/{partition} is committed past {record} only when {record} is finished"
                ),
                seen: format!(
                    "{topic}/{partition} = {offset} was committed {}: a crash now would lose it",
                    state(&events[..at], &record)
                ),
            });
        }
    }
    Ok(())
}

/// What had become of an unfinished record.
fn state(before: &[Event], record: &Place) -> String {
    let last = before.iter().rev().find_map(|event| match &event.seen {
        Seen::Handling { record: r, attempt } if r == record => {
            Some(format!("while call {attempt} for {record} was under way"))
        }
        Seen::Handled { record: r, attempt, .. } if r == record => {
            Some(format!("after call {attempt} for {record} had failed, without a dead letter"))
        }
        _ => None,
    });
    last.unwrap_or_else(|| format!("before {record} was handled"))
}
