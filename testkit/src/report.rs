//! What a test tells the grader: lines of JSON in the file that `LABS_REPORT` names.
//!
//! The grader reads the same lines with types of its own (`xtask/src/grade/report.rs`), because it depends on
//! nothing that a learner's code runs in. Its tests run real suites and so hold the two together.

use serde::Serialize;
use std::{
    env,
    fs::{self, OpenOptions},
    io::Write as _,
    panic,
    sync::{Once, OnceLock},
};

/// One line of the report.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Line<'a> {
    /// A thread or task panicked.
    Panicked {
        /// The panic's text.
        message: &'a str,
        /// Source file, as the compiler knows it.
        file: &'a str,
        /// Line in that file, from 1.
        line: u32,
    },
    /// Something happened: an event of the history as a line of a timeline. A test that hangs or dies cannot draw
    /// it any more.
    Happened {
        /// The line.
        text: &'a str,
    },
    /// A rule was broken.
    Broken {
        /// The rule in words.
        rule: &'a str,
        /// What right code does.
        expected: &'a str,
        /// What this code did.
        seen: &'a str,
        /// The history, drawn.
        timeline: &'a [String],
        /// Anchor of the README's section about it.
        section: &'a str,
        /// Of the schedule on which it was broken, where one was generated.
        seed: Option<u64>,
    },
    /// The test says nothing about the code: it needs what this broker cannot do.
    NotGradable {
        /// What it needs.
        why: &'a str,
    },
    /// The test asks for the broker that the grader provides. To one that never does, all brokers are the same.
    #[cfg(feature = "kafka")]
    AsksForBroker,
    /// The test says nothing about the code: the broker did not do what every broker does.
    #[cfg(feature = "kafka")]
    Unusable {
        /// What it did not do.
        why: &'a str,
    },
    /// The test ran to its end.
    Finished {
        /// What the grader handed to this one process.
        token: &'a str,
    },
}

/// What the grader handed over. Taken once, by the test's first line: then the token is in no file and in no
/// variable that code under test could read by accident or for convenience.
struct Grader {
    report: String,
    /// `None` in a victim.
    token: Option<String>,
}

fn grader() -> Option<&'static Grader> {
    static GRADER: OnceLock<Option<Grader>> = OnceLock::new();
    let take = || {
        let report = env::var("LABS_REPORT").ok()?;
        if env::var_os(crate::victim::ARGUMENTS).is_some() {
            // The suite's own process has taken the token and writes the same report.
            return Some(Grader { report, token: None });
        }
        let token = fs::read_to_string(&report).ok()?;
        fs::write(&report, "").ok()?;
        Some(Grader { report, token: Some(token) })
    };
    GRADER.get_or_init(take).as_ref()
}

/// Whether a grader listens to what happens. Of a victim it is told only what goes wrong: its history is not the test's.
pub(crate) fn is_read() -> bool {
    grader().is_some_and(|grader| grader.token.is_some())
}

/// Adds a line, if a grader listens.
pub(crate) fn write(line: &Line<'_>) {
    let Some(grader) = grader() else { return };
    let Ok(mut text) = serde_json::to_string(line) else { return };
    text.push('\n');
    // One write for a line: threads that panic together do not tear each other's lines. A report that cannot
    // be written leaves the test without its token, which the grader sees.
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&grader.report) {
        let _ = file.write_all(text.as_bytes());
    }
}

/// Tells the grader that the test ran to its end.
pub(crate) fn finished() {
    if let Some(token) = grader().and_then(|grader| grader.token.as_ref()) {
        write(&Line::Finished { token });
    }
}

/// From now on reports every panic of this process, then does with it what was done before.
pub(crate) fn report_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        grader();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let message = info.payload_as_str().unwrap_or("a panic without a text");
            let (file, line) = info.location().map_or(("", 0), |place| (place.file(), place.line()));
            write(&Line::Panicked { message, file, line });
            before(info);
        }));
    });
}
