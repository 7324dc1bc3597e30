//! What a failed test shows, in every format that people read.

use super::style::{BOLD, DIM, WIDTH, paint, wrap};
use crate::verdict::{Failure, Verdict};
use anstyle::Style;
use std::fmt::Write as _;

/// What was expected and seen, the timeline, the panics, the output.
pub fn write(text: &mut String, failure: &Failure) {
    for (name, value) in [("expected", &failure.expected), ("seen", &failure.seen)] {
        if let Some(value) = value {
            let mut name = name;
            for line in value.lines().flat_map(|line| wrap(line, WIDTH - 14)) {
                let _ = writeln!(text, "    {name:<9} {line}");
                name = "";
            }
        }
    }
    if !failure.timeline.is_empty() {
        text.push('\n');
        for line in &failure.timeline {
            let style = if line.starts_with('▸') { BOLD } else { DIM };
            let _ = writeln!(text, "    {}", paint(style, line));
        }
    }
    for panic in &failure.panics {
        let _ = writeln!(text, "\n    What panicked, and where:");
        panic.lines().for_each(|line| write_indented(text, 6, line, Style::new()));
    }
    if let Some(output) = &failure.output {
        let _ = writeln!(text, "\n    The end of what it printed:");
        output.lines().for_each(|line| write_indented(text, 6, line, DIM));
    }
}

/// The mistakes that it looks like.
pub fn write_likely(text: &mut String, verdict: &Verdict) {
    let _ = match &verdict.likely[..] {
        [] => return,
        [_] => writeln!(text, "This pattern usually means:"),
        _ => writeln!(text, "This pattern usually means one of:"),
    };
    for mistake in &verdict.likely {
        for (number, line) in wrap(&mistake.says, WIDTH - 4).iter().enumerate() {
            let mark = if number == 0 { "•" } else { " " };
            let _ = writeln!(text, "  {mark} {line}");
        }
        let _ = writeln!(text, "    {}", paint(DIM, format_args!("({})", mistake.name)));
    }
    text.push('\n');
}

/// One line of somebody else's text. An empty one gets no spaces, which would only be in the way of a copy.
pub fn write_indented(text: &mut String, indent: usize, line: &str, style: Style) {
    let _ = match line {
        "" => writeln!(text),
        _ => writeln!(text, "{:indent$}{}", "", paint(style, line)),
    };
}

/// A text that was written with styles, for where there are none.
pub fn plain(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::new();
    write(&mut text);
    anstream::adapter::strip_str(&text).to_string()
}
