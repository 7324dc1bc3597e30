//! Proves a walkthrough: its sections stand in the course's order, its links hold, its commands run.

use super::{
    brokers::Brokers,
    documents,
    markdown::{Block, Document, anchor},
    table::Row,
};
use anyhow::{bail, ensure};
use std::{fs, path::Path, process::Command, time::Duration};
use xtask::{
    course::{Course, Lab, sources},
    files,
    grade::{self, Session, broker::Broker},
    scratch::{self, Scratch},
};

/// The sections before and after those of the steps. Every lab reads alike.
const BEFORE: [&str; 5] = ["Why", "Outcomes", "The idea", "Invariants", "Predict"];
const AFTER: [&str; 4] = ["Common mistakes", "Compare with the solution", "In production", "Go on"];

/// What `new-lab` leaves for an author to replace.
const PROMPT: &str = "> Author:";

/// The longest time for one command of a walkthrough.
const LIMIT: Duration = Duration::from_secs(900);

pub fn prove(
    course: &Course,
    session: &Session,
    brokers: &Brokers,
    grader: &Path,
    lab: &Lab,
) -> anyhow::Result<Vec<Row>> {
    let path = lab.dir.join("README.md");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(vec![Row::of("README.md", Err(anyhow::anyhow!("{} is missing", lab.shown("README.md"))))]);
    };
    let document = Document::parse(&text);
    let mut rows = vec![
        Row::of("sections", sections(lab, &document)),
        Row::of("diagram, question and answer", parts(&text, &document)),
        Row::of("links", documents::links(&path)),
    ];
    let finished = finished_course(course, lab)?;
    // One is enough: that the others do as well is proven by the suites.
    let broker = brokers.of(lab).first().copied().flatten();
    for line in document.blocks.iter().filter(|block| block.language == "sh").flat_map(commands) {
        rows.push(Row::of(line, run(session, course, broker, grader, &finished.root, line)));
    }
    Ok(rows)
}

fn sections(lab: &Lab, document: &Document) -> anyhow::Result<()> {
    let manifest = lab.manifest()?;
    let steps = manifest.steps.iter().map(|step| step.section.clone());
    let wanted: Vec<String> = BEFORE
        .iter()
        .map(|title| anchor(title))
        .chain(steps)
        .chain(AFTER.iter().map(|title| anchor(title)))
        .collect();
    let there: Vec<String> = document.headings.iter().map(|heading| anchor(heading)).collect();
    let found: Vec<&String> = there.iter().filter(|heading| wanted.contains(heading)).collect();
    for (at, section) in wanted.iter().enumerate() {
        match found.get(at) {
            Some(heading) if *heading == section => {}
            Some(heading) => bail!("the section #{section} must come before #{heading}"),
            None => bail!("the section #{section} is missing"),
        }
    }
    Ok(())
}

fn parts(text: &str, document: &Document) -> anyhow::Result<()> {
    ensure!(!text.contains(PROMPT), "a prompt of the template is still there: {PROMPT} …");
    ensure!(document.blocks.iter().any(|block| block.language == "mermaid"), "there is no mermaid diagram");
    ensure!(text.contains("<details>"), "Predict has no folded answer (<details>)");
    Ok(())
}

/// The commands of a block of shell: its lines, less comments.
fn commands(block: &Block) -> impl Iterator<Item = &str> {
    block.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// A copy of the course in which this lab is solved, as its reader has it in the end.
pub fn finished_course(course: &Course, lab: &Lab) -> anyhow::Result<Scratch> {
    let mut scratch = Scratch::begin(&course.root, "finished");
    let _ = fs::remove_dir_all(scratch.root.join(".labs"));
    for other in &course.labs {
        let mut files = files::read(&other.dir)?;
        let sources = sources::of_lab(other)?;
        files.retain(|name, _| !sources::is_learners(name));
        files.extend(if other.number == lab.number { sources.solution } else { sources.stub });
        scratch.package(&format!("labs/{}", other.name), &files)?;
        // Not a member: commands only read it.
        files::write(&scratch.root.join("solutions").join(&other.name), &files::read(other.solution()?)?)?;
    }
    scratch.finish(&course.root)?;
    Ok(scratch)
}

fn run(
    session: &Session,
    course: &Course,
    broker: Option<&Broker>,
    grader: &Path,
    root: &Path,
    line: &str,
) -> anyhow::Result<()> {
    let tell = |command: &mut Command| {
        command.current_dir(root).env("CARGO_TARGET_DIR", scratch::target_dir(&course.root));
        if let Some(broker) = broker {
            broker.tell(command);
        }
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut command = match words[..] {
        ["cargo", "xtask", ref arguments @ ..] => {
            let mut command = Command::new(grader);
            command.args(arguments);
            command
        }
        ["cargo", "run", ref arguments @ ..] => {
            let mut command = Command::new(grade::build::cargo());
            command.arg("run").args(arguments);
            // A free port: whoever runs verify may have the usual one in use.
            command.args(if arguments.contains(&"--") {
                vec!["--port", "0"]
            } else {
                vec!["--", "--port", "0"]
            });
            tell(&mut command);
            return serves(session, &mut command);
        }
        ["cargo", "test", ref arguments @ ..] => {
            let mut command = Command::new(grade::build::cargo());
            command.arg("test").args(arguments);
            command
        }
        _ => {
            bail!("verify cannot run this; a block for the reader's own tools is marked `console`, not `sh`")
        }
    };
    tell(&mut command);
    let (success, output) = grade::run_and_read(session, &mut command, LIMIT)?;
    ensure!(success, "failed:\n{output}");
    Ok(())
}

/// A server runs when it has said something; it would go on for ever.
fn serves(session: &Session, command: &mut Command) -> anyhow::Result<()> {
    let (spoke, output) = grade::run_until_it_speaks(session, command, LIMIT)?;
    ensure!(spoke, "ended without a word:\n{output}");
    Ok(())
}
