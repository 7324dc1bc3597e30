use super::{
    Violation,
    registry::{View, apply},
};
use crate::{Event, Seen};
use std::collections::BTreeMap;

/// What a watcher has seen go comes back only after it was registered again.
pub fn no_resurrection(events: &[Event]) -> Result<(), Violation> {
    type Instance = (String, String);
    let mut came: BTreeMap<Instance, usize> = BTreeMap::new();
    // Of each watcher: what it believes, and how often each instance has come to it.
    let mut watchers: BTreeMap<u32, (View, BTreeMap<Instance, usize>)> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        match &event.seen {
            Seen::InstanceCame { id, address } => {
                *came.entry((id.clone(), address.clone())).or_default() += 1;
            }
            Seen::WatcherTold { watcher, told } => {
                let (view, seen) = watchers.entry(*watcher).or_default();
                let before = view.clone();
                apply(view, told);
                for (id, address) in view.iter().filter(|(id, address)| before.get(*id) != Some(address)) {
                    let instance = (id.clone(), address.clone());
                    let times = seen.entry(instance.clone()).or_default();
                    *times += 1;
                    if *times > came.get(&instance).copied().unwrap_or(0) {
                        let expected =
                            format!("no {id} at {address} for watcher {watcher}: nobody registered it anew");
                        return Err(Violation { at, expected, seen: told.to_string() });
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
