//! `check --watch`: grades again whenever the learner has saved something else.
//!
//! It looks at the files now and then and compares what stands in them. That costs nothing for a dozen small files, and
//! is right where notifications of the system are not: on shared folders of a virtual machine, and for editors that save
//! by writing a new file in the place of the old one.

use crate::{
    course::{Lab, sums},
    exit::Exit,
    files,
};
use std::{collections::BTreeMap, fs, thread, time::Duration};

/// How often the files are looked at.
const TICK: Duration = Duration::from_millis(100);

/// So many looks in a row must show the same: an editor, or a formatter, or git, may still be writing.
const QUIET: usize = 3;

/// What stands in each file.
type Content = BTreeMap<String, String>;

/// Grades, and grades again after each change, until it is interrupted.
pub fn run(lab: &Lab, mut grade: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Exit> {
    loop {
        // Before it is graded: what is saved meanwhile is graded next.
        let graded = settled(lab);
        grade()?;
        anstream::eprintln!("\nWaiting for a change in {}. Ctrl-C ends it.", lab.shown(""));
        while settled(lab) == graded {
            thread::sleep(TICK);
        }
    }
}

/// The content of a lab's files as soon as it stays the same.
fn settled(lab: &Lab) -> Content {
    let mut content = look(lab);
    let mut same = 1;
    while same < QUIET {
        thread::sleep(TICK);
        let now = look(lab);
        same = if now == content { same + 1 } else { 1 };
        content = now;
    }
    content
}

/// A file that is gone between two looks is not there; one that an editor keeps beside the real one does not count.
fn look(lab: &Lab) -> Content {
    let paths = files::walk(&lab.dir).unwrap_or_default();
    let entries = paths.iter().filter_map(|path| {
        let name = files::name_in(&lab.dir, path).ok().filter(|name| !is_an_editors(name))?;
        Some((name, sums::blob_id(&fs::read(path).ok()?)))
    });
    entries.collect()
}

/// Lock files, swap files and backups: `.#lib.rs`, `.lib.rs.swp`, `lib.rs~`, `4913` (vim tries whether it may write).
fn is_an_editors(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with(['.', '#']) || file.ends_with('~') || file.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_leave_is_no_change() {
        for name in ["src/.#lib.rs", "src/.lib.rs.swp", "src/lib.rs~", "4913", "src/#lib.rs#"] {
            assert!(is_an_editors(name), "{name}");
        }
        for name in ["src/lib.rs", "proto/shop/v1/users.proto", "Cargo.toml", "tests/suite/main.rs"] {
            assert!(!is_an_editors(name), "{name}");
        }
    }
}
