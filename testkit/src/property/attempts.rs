use super::Violation;
use crate::{Event, Place, Seen};
use std::collections::BTreeMap;

/// The handler is called for a record at most so often: once, and once for each retry. Each time that the group's
/// members changed, a record may come again and then has all its calls anew.
pub fn attempts_at_most(events: &[Event], most: u32) -> Result<(), Violation> {
    let mut calls: BTreeMap<&Place, u32> = BTreeMap::new();
    let mut times = 1;
    for (at, event) in events.iter().enumerate() {
        match &event.seen {
            Seen::MembersChanged(_) => times += 1,
            Seen::Handling { record, .. } => {
                let calls = calls.entry(record).or_default();
                *calls += 1;
                if *calls > most * times {
                    return Err(Violation {
                        at,
                        expected: format!("at most {} calls for {record}", most * times),
                        seen: format!("call {calls}"),
                    });
                }
            }
            _ => {}
        }
    }
    Ok(())
}
