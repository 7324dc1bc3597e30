use super::{Violation, until_members_changed};
use crate::{Answer, Event, Place, Seen};
use std::{collections::BTreeMap, time::Duration};

/// Clocks and timers count in whole milliseconds here and there.
const ROUNDING: Duration = Duration::from_millis(1);

/// Between the n-th failed call for a record (from 1) and the next one lies at least `least(n)`. More is never wrong: a
/// machine may be busy.
pub fn gaps_at_least(events: &[Event], least: impl Fn(u32) -> Duration) -> Result<(), Violation> {
    // Of each record: how many calls have failed, and when the last of them did.
    let mut failures: BTreeMap<&Place, (u32, Duration)> = BTreeMap::new();
    for (at, event) in until_members_changed(events).iter().enumerate() {
        match &event.seen {
            Seen::Handled { record, answer: Answer::Failed(_), .. } => {
                let (count, last) = failures.entry(record).or_default();
                (*count, *last) = (*count + 1, event.at);
            }
            Seen::Handling { record, .. } => {
                let Some((count, failed)) = failures.get(record) else { continue };
                let (gap, least) = (event.at - *failed, least(*count));
                if gap + ROUNDING < least {
                    return Err(Violation {
                        at,
                        expected: format!(
                            "at least {} ms between failure {count} of {record} and the next call",
                            least.as_millis()
                        ),
                        seen: format!("{} ms", gap.as_millis()),
                    });
                }
            }
            _ => {}
        }
    }
    Ok(())
}
