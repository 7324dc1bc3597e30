//! What stood in a registry, and what a watcher was made to believe.

use crate::{Event, Seen, Told};
use std::{collections::BTreeMap, fmt};

/// The address of each instance by its id.
pub(super) type View = BTreeMap<String, String>;

/// Takes in what a watcher is told.
pub(super) fn apply(view: &mut View, told: &Told) {
    match told {
        Told::Snapshot(all) => view.clone_from(all),
        Told::Added { id, address } => _ = view.insert(id.clone(), address.clone()),
        Told::Removed { id } => _ = view.remove(id),
    }
}

/// What became of a registry: its state before the first change, and after each.
pub(super) struct Course {
    states: Vec<View>,
    changes: Vec<Told>,
}

impl Course {
    pub(super) fn of(events: &[Event]) -> Self {
        let changes: Vec<_> = events.iter().filter_map(|event| change(&event.seen)).collect();
        let mut states = vec![View::new()];
        for change in &changes {
            let mut next = states[states.len() - 1].clone();
            apply(&mut next, change);
            states.push(next);
        }
        Self { states, changes }
    }

    /// How it stands after so many changes.
    pub(super) fn after(&self, changes: usize) -> &View {
        &self.states[changes]
    }

    /// How it stands in the end.
    pub(super) fn end(&self) -> &View {
        self.after(self.changes.len())
    }

    /// The change that follows so many, from none on.
    pub(super) fn next(&self, changes: usize) -> Option<&Told> {
        self.changes.get(changes)
    }
}

/// The change that this event is, in the words in which a watcher is told of it.
pub(super) fn change(seen: &Seen) -> Option<Told> {
    match seen {
        Seen::InstanceCame { id, address } => Some(Told::Added { id: id.clone(), address: address.clone() }),
        Seen::InstanceLeft { id } => Some(Told::Removed { id: id.clone() }),
        _ => None,
    }
}

/// A view in words.
pub(super) struct Words<'a>(pub(super) &'a View);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(|(id, address)| format!("{id} at {address}")).collect();
        f.write_str(if all.is_empty() { "nobody" } else { "" })?;
        f.write_str(&all.join(", "))
    }
}
