//! Where a learner's code for each step begins: a line to point at when a rule was broken and nothing panicked.

use super::markers::todo_step;
use crate::{files::Files, verdict::Place};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// The file beside a lab that a check reads. `cargo xtask stubs` writes it from the stub, whose `todo!()`s are gone
/// when somebody is graded.
pub const FILE: &str = "places.toml";

/// The first thing that a step leaves to its learner.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    pub step: usize,
    /// From the lab's folder.
    pub file: String,
    /// What stands in its first line, such as `fn watch` or `message User`.
    pub item: String,
    /// Which of several with this name it is, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nth: usize,
}

#[derive(Default, Deserialize, Serialize)]
struct Places {
    #[serde(rename = "place", default)]
    places: Vec<Begin>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(nth: &usize) -> bool {
    *nth == 0
}

/// The text of `places.toml` for this stub.
pub fn to_text(stub: &Files) -> anyhow::Result<String> {
    let head = "# Where each step begins. Written by `cargo xtask stubs`.\n\n";
    Ok(format!("{head}{}", toml::to_string(&Places { places: of_stub(stub) })?))
}

fn of_stub(stub: &Files) -> Vec<Begin> {
    let mut places: Vec<Begin> = Vec::new();
    for (file, text) in stub {
        let mut current = None;
        for (at, line) in text.lines().enumerate() {
            current = item(line).map(|item| (at, item)).or(current);
            let (Some(step), Some((at, item))) = (todo_step(line), current) else { continue };
            if places.iter().all(|place| place.step != step) {
                let nth = text.lines().take(at).filter(|line| names(line, item)).count();
                places.push(Begin { step, file: file.clone(), item: item.to_owned(), nth });
            }
        }
    }
    places.sort_by_key(|place| place.step);
    places
}

/// The item that begins in a line: a function of Rust's, or a message or an enum of a contract's. Other words may stand
/// before `fn`.
fn item(line: &str) -> Option<&str> {
    let code = line.split("//").next()?.trim_start();
    let begins = |kind: &&str| {
        let at = if *kind == "fn " { code.find(kind)? } else { code.starts_with(*kind).then_some(0)? };
        let is_word = at == 0 || code[..at].ends_with(' ');
        is_word.then_some((at, at + kind.len()))
    };
    let (start, name) = ["fn ", "message ", "enum "].iter().find_map(begins)?;
    let length = code[name..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len() - name);
    (length > 0).then(|| &code[start..name + length])
}

fn names(line: &str, wanted: &str) -> bool {
    item(line) == Some(wanted)
}

/// The places of a lab. A lab without the file has none, and points at nothing.
pub fn load(lab_dir: &Path) -> anyhow::Result<Vec<Begin>> {
    let path = lab_dir.join(FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(toml::from_str::<Places>(&text).with_context(|| path.display().to_string())?.places)
}

/// Where a step's code begins in a learner's files now. None where that item is gone: whoever built it another way may
/// have no use for it.
pub fn find(places: &[Begin], step: usize, lab_dir: &Path, shown: &str) -> Option<Place> {
    let place = places.iter().find(|place| place.step == step)?;
    let text = fs::read_to_string(lab_dir.join(&place.file)).ok()?;
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| names(line, &place.item));
    let (line, _) = lines.nth(place.nth)?;
    Some(Place { file: format!("{shown}/{}", place.file), line })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUB: &str = "/// What fn one is.\npub fn one() -> u32 {\n    let x = message of;\n    todo!(\"step 1: say one\")\n}\n\nimpl A {\n    \
                        async fn two(&self) {\n        todo!(\"step 2: a\")\n    }\n}\n\nimpl B {\n    async fn \
                        two<T>(&self) {\n        todo!(\"step 3: b\")\n        todo!(\"step 2: again\")\n    }\n}\n";

    fn stub() -> Files {
        let contract = "message User {\n  string id = 1;\n  // TODO step 4: a phone\n}\n";
        Files::from([("src/lib.rs".into(), STUB.into()), ("proto/users.proto".into(), contract.into())])
    }

    #[test]
    fn each_step_begins_where_its_first_todo_is() {
        let place =
            |step, file: &str, item: &str, nth| Begin { step, file: file.into(), item: item.into(), nth };
        assert_eq!(
            of_stub(&stub()),
            [
                place(1, "src/lib.rs", "fn one", 0),
                place(2, "src/lib.rs", "fn two", 0),
                place(3, "src/lib.rs", "fn two", 1),
                place(4, "proto/users.proto", "message User", 0),
            ]
        );
    }

    #[test]
    fn the_file_reads_back_and_the_line_is_that_of_today() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), to_text(&stub()).unwrap()).unwrap();
        let places = load(dir.path()).unwrap();
        assert_eq!(places, of_stub(&stub()));

        fs::create_dir(dir.path().join("src")).unwrap();
        let written = STUB.replace("todo!(\"step 1: say one\")", "1\n    // of\n    // three lines");
        fs::write(dir.path().join("src/lib.rs"), written).unwrap();
        let line =
            |step| find(&places, step, dir.path(), "labs/lab-00-x").map(|place| (place.file, place.line));
        assert_eq!(line(1), Some(("labs/lab-00-x/src/lib.rs".into(), 2)));
        assert_eq!(line(3), Some(("labs/lab-00-x/src/lib.rs".into(), 16)));
        assert_eq!((line(4), line(5)), (None, None), "a file that is gone, a step that is not there");
    }
}
