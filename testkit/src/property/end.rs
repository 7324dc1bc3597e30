use super::Violation;
use crate::{Event, Seen};

/// No call of the handler begins after the suite did this, such as to see the code under test end.
///
/// # Panics
/// When the suite never did it: then nothing is said.
pub fn nothing_handled_after(events: &[Event], did: &str) -> Result<(), Violation> {
    let ended = |event: &Event| matches!(&event.seen, Seen::Did(what) if what == did);
    let end = events.iter().position(ended).unwrap_or_else(|| panic!("the history has no {did:?}"));
    let after = events.iter().enumerate().skip(end);
    let handled = after.filter_map(|(at, event)| match &event.seen {
        Seen::Handling { record, .. } => Some((at, record)),
        _ => None,
    });
    match handled.into_iter().next() {
        None => Ok(()),
        Some((at, record)) => Err(Violation {
            at,
            expected: format!("no record is handled after: {did}"),
            seen: format!("{record} was handled"),
        }),
    }
}
