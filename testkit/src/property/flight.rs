use super::{Violation, partition_of, until_members_changed};
use crate::{Event, Seen};
use std::collections::BTreeMap;

/// Of one partition, only one record is with the handler at a time.
pub fn one_in_flight_per_partition(events: &[Event]) -> Result<(), Violation> {
    let mut in_flight = BTreeMap::new();
    for (at, event) in until_members_changed(events).iter().enumerate() {
        match &event.seen {
            Seen::Handling { record, .. } => {
                if let Some(other) = in_flight.insert(partition_of(record), record) {
                    return Err(Violation {
                        at,
                        expected: format!("no call for {record} while the one for {other} is under way"),
                        seen: "two calls for one partition at a time".into(),
                    });
                }
            }
            Seen::Handled { record, .. } => _ = in_flight.remove(&partition_of(record)),
            _ => {}
        }
    }
    Ok(())
}
