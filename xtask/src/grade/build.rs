//! Compiles suites with cargo and finds the test binaries.

use super::{
    Selection, Session,
    follow::Follow,
    process::{self, Ended},
    sources::{self, Library},
};
use crate::{
    course::Lab,
    verdict::{Outcome, Place, Problem},
};
use serde::Deserialize;
use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, IsTerminal as _, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// The longest build, on a common machine: many times what a first build takes.
const LIMIT: Duration = Duration::from_secs(1800);

/// One line of `cargo --message-format=json` (The Cargo Book, "External tools").
#[derive(Debug, Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Diagnosed { package_id: String, message: Diagnostic },
    #[serde(rename = "compiler-artifact")]
    Made { package_id: String, target: Target, filenames: Vec<PathBuf>, executable: Option<PathBuf> },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Debug, Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    is_primary: bool,
}

impl Diagnostic {
    fn place(&self) -> Option<Place> {
        let span = self.spans.iter().find(|span| span.is_primary)?;
        Some(Place { file: span.file_name.clone(), line: span.line_start })
    }
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
    src_path: PathBuf,
}

/// What one package of a build came to.
#[derive(Debug)]
pub enum Built {
    /// Its suite's test binary.
    Suite { package: String, executable: PathBuf, source: PathBuf },
    /// A program.
    Program { executable: PathBuf },
    /// A library that lies in a folder of somebody's.
    Library(Library),
    /// An error in its code, as the compiler printed it, and its line.
    Error { package: String, rendered: String, place: Option<Place> },
}

/// A build that has ended.
#[derive(Debug)]
pub struct Build {
    pub success: bool,
    pub timed_out: bool,
    /// The end of what cargo printed.
    pub stderr: String,
}

/// The cargo that runs this grader.
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// How a build goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// cargo's own progress goes on to standard error.
    Loud,
    /// Nobody sees it.
    Quiet,
    /// Nobody sees it, and whatever else runs comes first: tests, whose time is counted.
    Behind,
}

/// Runs `cargo build` in a workspace and tells of each package as soon as it is known.
pub fn packages(
    session: &Session,
    root: &Path,
    arguments: &[&str],
    manner: Manner,
    mut built: impl FnMut(Built),
) -> anyhow::Result<Build> {
    let loud = manner == Manner::Loud;
    let mut command = match manner {
        Manner::Loud | Manner::Quiet => Command::new(cargo()),
        Manner::Behind => {
            let mut nice = Command::new("nice");
            nice.args(["-n", "10"]).arg(cargo());
            nice
        }
    };
    command.current_dir(root).args(["build", "--message-format=json"]).args(arguments);
    if io::stderr().is_terminal() && loud {
        // cargo writes into a file here; without this it would show neither its colours nor its progress.
        command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "80");
        if env::var_os("NO_COLOR").is_none() {
            command.env("CARGO_TERM_COLOR", "always");
        }
    }

    let (mut messages, mut progress) = (Follow::default(), Follow::default());
    let mut look = |stdout: &PathBuf, stderr: &PathBuf| {
        if loud {
            let _ = io::stderr().write_all(&progress.bytes(stderr));
        }
        for line in messages.lines(stdout) {
            if let Some(known) = serde_json::from_str(&line).ok().and_then(of_message) {
                built(known);
            }
        }
        ControlFlow::Continue(())
    };
    let ended = process::run(session, &mut command, LIMIT.mul_f64(session.scale()), &mut look)?;
    let build = Build {
        success: ended.status.is_some_and(|status| status.success()),
        timed_out: ended.status.is_none(),
        stderr: Ended::tail(&ended.stderr),
    };
    ended.discard();
    Ok(build)
}

fn of_message(message: Message) -> Option<Built> {
    match message {
        Message::Diagnosed { package_id, message } if message.level == "error" => {
            let place = message.place();
            Some(Built::Error { package: package_name(&package_id), rendered: message.rendered?, place })
        }
        Message::Made { package_id, target, executable: Some(executable), .. }
            if target.name == "suite" && target.kind == ["test"] =>
        {
            Some(Built::Suite { package: package_name(&package_id), executable, source: target.src_path })
        }
        Message::Made { target, executable: Some(executable), .. } if target.kind == ["bin"] => {
            Some(Built::Program { executable })
        }
        Message::Made { package_id, target, filenames, executable: None }
            if package_id.starts_with("path+") && target.kind != ["custom-build"] =>
        {
            let Target { name, src_path: source, .. } = target;
            Some(Built::Library(Library { name, source, made: filenames }))
        }
        _ => None,
    }
}

/// The name in a package id such as `path+file:///course/labs/lab-01-x#0.1.0` or `…/proto#name@0.1.0`.
fn package_name(id: &str) -> String {
    let (url, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    let folder = url.rsplit('/').next().unwrap_or(url);
    fragment.split_once('@').map_or(folder, |(name, _)| name).to_owned()
}

/// Compiles the suite of one lab of a course. Inner `Err`: why it could not be, as a verdict says it.
pub fn suite(
    session: &Session,
    root: &Path,
    lab: &Lab,
    selection: &Selection,
) -> anyhow::Result<Result<PathBuf, (Outcome, Problem)>> {
    if let Some(problem) = sources::stranger(lab) {
        return Ok(Err((Outcome::LabBroken, problem)));
    }
    let mut executable = None;
    let (mut errors, mut places) = (Vec::new(), Vec::new());
    let (mut errors_elsewhere, mut libraries) = (Vec::new(), Vec::new());
    let arguments = ["--test", "suite", "--package", &lab.name];
    let build = packages(session, root, &arguments, Manner::Loud, |built| match built {
        Built::Suite { executable: found, source, .. } => executable = Some((found, source)),
        Built::Error { package, rendered, place } if package == lab.name => {
            errors.push(rendered);
            places.extend(place);
        }
        Built::Error { rendered, .. } => errors_elsewhere.push(rendered),
        // A lab's own program is built with its suite; it is not what is graded.
        Built::Program { .. } => {}
        Built::Library(library) => libraries.push(library),
    })?;
    errors.extend(of_contract(lab, &build.stderr));
    Ok(match executable {
        Some((_, source)) if !is_same_file(&source, &lab.dir.join("tests/suite/main.rs")) => {
            Err((Outcome::LabBroken, sources::another_suite(lab, &source)))
        }
        Some((executable, _)) if build.success => match sources::refusal(root, lab, &libraries) {
            Some(problem) => Err((Outcome::LabBroken, problem)),
            None => Ok(executable),
        },
        _ if !errors.is_empty() => {
            Err((Outcome::BuildError, Problem { places, ..does_not_compile(lab, selection, errors) }))
        }
        _ if !lab.dir.join("Cargo.toml").exists() => Err((Outcome::BuildError, sources::no_package(lab))),
        _ if build.stderr.contains("no test target named `suite`") => {
            Err((Outcome::LabBroken, sources::no_suite(lab)))
        }
        _ if is_about_a_manifest(&build.stderr, lab) => {
            Err((Outcome::BuildError, does_not_compile(lab, selection, vec![build.stderr])))
        }
        _ => Err((Outcome::Infrastructure, cargo_failed(&build, errors_elsewhere))),
    })
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(a).is_some() && real(a) == real(b)
}

fn does_not_compile(lab: &Lab, selection: &Selection, details: Vec<String>) -> Problem {
    let mut next = format!(
        "Mend the first error, then check again: cargo xtask check {}{}",
        lab.short(),
        selection.arguments()
    );
    if details.iter().any(|error| error.contains("/tests/suite/")) {
        next.push_str(
            "\nAn error inside tests/suite means that a name, a type or a signature which the suite uses was changed.",
        );
    }
    Problem::new("your code does not compile, so nothing was graded", details, next)
}

/// What the lab's build script said when it failed. It compiles the lab's contracts, and no JSON message tells of
/// those.
fn of_contract(lab: &Lab, stderr: &str) -> Option<String> {
    let (_, told) = stderr.split_once(&format!("failed to run custom build command for `{} v", lab.name))?;
    let (_, said) = told.split_once("--- stderr\n")?;
    // cargo indents it, and may go on with something of its own after an empty line.
    let said = said.lines().map(str::trim_end).take_while(|line| !line.starts_with("warning: build failed"));
    let said = said.map(|line| line.strip_prefix("  ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
    Some(format!("{}\n", said.trim_end()))
}

/// cargo refuses a `Cargo.toml` before any compiler runs; no JSON message tells of it. One of the lab's names a library or
/// a version that does not exist, or a package by the name of another.
fn is_about_a_manifest(stderr: &str, lab: &Lab) -> bool {
    let refusals = [
        "failed to load manifest",
        "failed to select a version",
        "no matching package",
        "two packages named",
        "package collision in the lockfile",
        "failed to load source for dependency",
    ];
    let is_of_lab =
        stderr.contains(&format!("/labs/{}", lab.name)) || stderr.contains(&format!("`{}", lab.name));
    stderr.contains("failed to parse manifest")
        || is_of_lab && refusals.iter().any(|refusal| stderr.contains(refusal))
}

fn cargo_failed(build: &Build, mut details: Vec<String>) -> Problem {
    let what = if build.timed_out {
        "the build was still running at its limit and was stopped"
    } else {
        "cargo failed"
    };
    if details.is_empty() {
        details.push(build.stderr.clone());
    }
    let next = "Look at the machine with: cargo xtask doctor";
    Problem::new(format!("{what}; this is not about your code"), details, next)
}

#[cfg(test)]
mod tests;
