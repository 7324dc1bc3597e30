//! What a test printed itself: the output of its process less the words of libtest and of panics, which are told
//! elsewhere.

/// How much of it a learner is shown, in lines.
const LINES: usize = 20;

/// The longest text that a learner is shown in one piece, in bytes.
const LONGEST: usize = 8 * 1024;

/// A text as it can be shown: what a terminal would take for a command is something that is no text, and one that is very
/// long has an end.
pub fn plain(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    let shown = |c: char| if c.is_control() && !"\n\t".contains(c) { char::REPLACEMENT_CHARACTER } else { c };
    let mut plain: String = text[..end].replace("\r\n", "\n").chars().map(shown).collect();
    if end < text.len() {
        plain.push_str(&format!("… ({} bytes more)", text.len() - end));
    }
    plain
}

/// The end of what the test printed. `panics`: the texts of the panics that are told elsewhere.
pub fn printed<'a>(
    test: &str,
    stdout: &str,
    stderr: &str,
    panics: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let mut text = format!("{stdout}\n{stderr}");
    for panic in panics.filter(|panic| !panic.is_empty()) {
        text = text.replace(panic, "");
    }
    let own = |line: &&str| !is_libtest(test, line) && !is_panic(line);
    // Where the last line that code printed has no end, libtest's stands behind it.
    let result = format!("test {test} ... ");
    let alone = |line: &str| plain(line.find(&result).map_or(line, |at| &line[..at]));
    let text = text.lines().filter(own).map(alone).collect::<Vec<_>>().join("\n");
    let lines: Vec<&str> = text.trim().lines().collect();
    let lines = &lines[lines.len().saturating_sub(LINES)..];
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn is_libtest(test: &str, line: &str) -> bool {
    let line = line.trim();
    let words = ["running 1 test", "failures:", "successes:", test];
    words.contains(&line)
        || line == format!("---- {test} stdout ----")
        || line.starts_with("test result: ")
        || line.starts_with(&format!("test {test} ... "))
}

fn is_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
        || line.starts_with("note: run with `RUST_BACKTRACE=1`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tests_own_words_are_left() {
        let stdout = "\nrunning 1 test\nfrom a task\ntest a::b ... FAILED\n\nfailures:\n\n---- a::b stdout ----\nmine\n\n\
                      thread 'a::b' (7) panicked at src/x.rs:1:2:\nThe rule\n  expected  1\n\
                      note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n\n\
                      failures:\n    a::b\n\ntest result: FAILED. 0 passed; 1 failed\n";
        let seen = printed("a::b", stdout, "to stderr\n", ["The rule\n  expected  1"].into_iter()).unwrap();
        let lines: Vec<_> = seen.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["from a task", "mine", "to stderr"]);
    }

    #[test]
    fn nothing_that_was_printed_commands_a_terminal() {
        let seen = printed("a::b", "a\tb\r\n\u{1b}[2J\0\n", "", std::iter::empty()).unwrap();
        assert_eq!(seen, "a\tb\n\u{fffd}[2J\u{fffd}");
    }

    #[test]
    fn nothing_printed_is_nothing() {
        let stdout = "\nrunning 1 test\ntest a::b ... FAILED\n\ntest result: FAILED.\n";
        assert_eq!(printed("a::b", stdout, "", std::iter::empty()), None);
    }

    #[test]
    fn of_much_the_end_is_shown() {
        let long: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let seen = printed("a::b", &long, "", std::iter::empty()).unwrap();
        assert!(seen.starts_with("line 80") && seen.ends_with("line 99"), "{seen}");
    }
}
