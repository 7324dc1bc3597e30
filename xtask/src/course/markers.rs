//! One source for two files: a solution with markers becomes the stub that a learner gets, and the solution
//! that a learner sees in the end.
//!
//! A marker is a comment on a line of its own:
//!
//! ```text
//! // stub: todo!("step 2: what to write here")    until `stub: end`: the stub has this line instead
//! // stub: drop                                   until `stub: end`: the stub has nothing
//! // stub: end
//! // stub: add CODE                               the stub has CODE, the solution nothing
//! ```
//!
//! A contract (`.proto`) has the same markers. It has no `todo!()`: there the stub says what is to be written in a
//! comment.

use std::fmt;

/// Why a solution's markers cannot be read.
#[derive(Debug, PartialEq)]
pub struct MarkerError {
    /// From 1.
    pub line: usize,
    pub what: String,
}

impl fmt::Display for MarkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for MarkerError {}

/// The two files that one source makes.
#[derive(Debug, Default, PartialEq)]
pub struct Split {
    /// What the learner gets.
    pub stub: String,
    /// What the learner compares with in the end: no markers.
    pub solution: String,
}

/// What a source is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Rust,
    /// A contract. Nothing in it runs, so nothing in it can panic.
    Protobuf,
}

impl Language {
    /// The language of a file that can have markers.
    pub fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.') {
            Some((_, "rs")) => Some(Self::Rust),
            Some((_, "proto")) => Some(Self::Protobuf),
            _ => None,
        }
    }

    /// What the stub has in place of a region: `todo` is such as `todo!("step 2: what to write here")`.
    fn in_place_of(self, todo: &str) -> String {
        match self {
            Self::Rust => todo.to_owned(),
            Self::Protobuf => {
                let text = todo.strip_prefix(TODO).unwrap_or(todo).trim_end_matches("\")");
                format!("{TODO_COMMENT}{text}")
            }
        }
    }
}

/// How a `todo!()` begins that names its step.
const TODO: &str = "todo!(\"step ";
/// How it begins in a contract.
const TODO_COMMENT: &str = "// TODO step ";

/// The step that a line of a stub leaves to its learner.
pub fn todo_step(line: &str) -> Option<usize> {
    let mut parts = [TODO, TODO_COMMENT].iter().filter_map(|begin| Some(line.split_once(begin)?.1));
    parts.next()?.split(':').next()?.parse().ok()
}

enum Marker<'a> {
    Todo(&'a str),
    Drop,
    End,
    Add(&'a str),
}

/// Splits a source into the stub and the solution.
pub fn split(source: &str, language: Language) -> Result<Split, MarkerError> {
    let mut split = Split::default();
    let mut open: Option<usize> = None;
    for (number, line) in (1..).zip(source.lines()) {
        let error = |what: &str| Err(MarkerError { line: number, what: what.to_owned() });
        match marker(line).map_err(|what| MarkerError { line: number, what })? {
            None => {
                push(&mut split.solution, line);
                if open.is_none() {
                    push(&mut split.stub, line);
                }
            }
            Some(Marker::End) if open.is_some() => open = None,
            Some(Marker::End) => return error("`stub: end` ends nothing"),
            Some(_) if open.is_some() => {
                return error("a marker inside a region: `stub: end` is missing before it");
            }
            Some(Marker::Add(code)) => push(&mut split.stub, &format!("{}{code}", indent(line))),
            Some(Marker::Drop) => open = Some(number),
            Some(Marker::Todo(todo)) => {
                push(&mut split.stub, &format!("{}{}", indent(line), language.in_place_of(todo)));
                open = Some(number);
            }
        }
    }
    match open {
        Some(line) => Err(MarkerError { line, what: "this region has no `stub: end`".into() }),
        None => Ok(tidy(split)),
    }
}

fn marker(line: &str) -> Result<Option<Marker<'_>>, String> {
    let Some(text) = line.trim_start().strip_prefix("// stub:") else { return Ok(None) };
    let text = text.strip_prefix(' ').unwrap_or(text);
    match text {
        "drop" => Ok(Some(Marker::Drop)),
        "end" => Ok(Some(Marker::End)),
        _ if text.starts_with(TODO) && text.ends_with(')') => Ok(Some(Marker::Todo(text))),
        _ => match text.strip_prefix("add ") {
            Some(code) => Ok(Some(Marker::Add(code))),
            None => Err(format!(
                "`stub: {text}` is no marker; write `todo!(\"step N: …\")`, `drop`, `end` or `add CODE`"
            )),
        },
    }
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Removes the blank lines that a dropped region leaves behind, as rustfmt would.
fn tidy(split: Split) -> Split {
    let collapse = |text: String| {
        let mut kept: Vec<&str> = Vec::new();
        for line in text.lines() {
            let after_blank = kept.last().is_none_or(|last| last.is_empty() || last.ends_with('{'));
            if line.is_empty() && after_blank {
                continue;
            }
            if line.trim_start().starts_with('}') && kept.last() == Some(&"") {
                kept.pop();
            }
            kept.push(line);
        }
        while kept.last() == Some(&"") {
            kept.pop();
        }
        kept.iter().flat_map(|line| [line, "\n"]).collect()
    };
    Split { stub: collapse(split.stub), solution: collapse(split.solution) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"// stub: add #![allow(dead_code)]
// stub: drop
use std::mem;

// stub: end
/// Doubles.
pub fn double(n: u32) -> u32 {
    // stub: todo!("step 1: twice as much")
    helper(n)
    // stub: end
}
// stub: drop

fn helper(n: u32) -> u32 {
    n * 2
}
// stub: end
"#;

    #[test]
    fn the_stub_keeps_signatures_and_loses_bodies_and_helpers() {
        let stub = "#![allow(dead_code)]\n/// Doubles.\npub fn double(n: u32) -> u32 {\n    \
                    todo!(\"step 1: twice as much\")\n}\n";
        assert_eq!(split(SOURCE, Language::Rust).unwrap().stub, stub);
    }

    #[test]
    fn the_solution_loses_nothing_but_the_markers() {
        let solution = split(SOURCE, Language::Rust).unwrap().solution;
        assert!(solution.starts_with("use std::mem;\n\n/// Doubles."), "{solution}");
        assert!(solution.contains("    helper(n)\n}\n\nfn helper"), "{solution}");
        assert!(!solution.contains("stub:"));
    }

    #[test]
    fn a_contract_has_the_same_markers_and_comments_for_todos() {
        let source = "message User {\n  string id = 1;\n  // stub: add string nickname = 5;\n  \
                      // stub: todo!(\"step 5: add the phone\")\n  optional string phone = 6;\n  // stub: end\n}\n";
        let split = split(source, Language::of("proto/users.proto").unwrap()).unwrap();
        let stub =
            "message User {\n  string id = 1;\n  string nickname = 5;\n  // TODO step 5: add the phone\n}\n";
        assert_eq!(split.stub, stub);
        assert_eq!(split.solution, "message User {\n  string id = 1;\n  optional string phone = 6;\n}\n");
        assert_eq!(Language::of("Cargo.toml"), None);
    }

    #[test]
    fn a_marker_that_is_wrong_is_named_with_its_line() {
        let cases = [
            ("x\n// stub: end\n", 2, "ends nothing"),
            ("// stub: drop\n", 1, "has no `stub: end`"),
            ("// stub: drop\n// stub: drop\n// stub: end\n", 2, "inside a region"),
            ("// stub: drop\n// stub: add x\n// stub: end\n", 2, "inside a region"),
            ("// stub: remove\n", 1, "is no marker"),
            ("// stub: todo!(\"write this\")\n// stub: end\n", 1, "is no marker"),
        ];
        for (source, line, what) in cases {
            let error = split(source, Language::Rust).unwrap_err();
            assert_eq!(error.line, line, "{source}");
            assert!(error.what.contains(what), "{source}: {error}");
        }
    }
}
