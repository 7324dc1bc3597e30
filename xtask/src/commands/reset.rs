//! `reset`: the stub again, or the suite again. What was there is kept, and the way back is printed.

use crate::{
    cli,
    course::{
        Course, Lab, sources,
        sums::{self, Sums},
    },
    exit::{Exit, Stop},
    files::{self, Files},
    state,
};
use anyhow::Context as _;
use std::{fs, path::Path, process::Command};

pub fn run(course: &Course, args: &cli::Reset) -> anyhow::Result<Exit> {
    let lab = course.lab(&args.lab)?;
    if args.tests { mend_suite(course, lab) } else { back_to_stub(course, lab) }
}

fn back_to_stub(course: &Course, lab: &Lab) -> anyhow::Result<Exit> {
    let mut stub = match lab.solution() {
        Ok(_) => sources::of_lab(lab)?.stub,
        // Whoever handed this copy out has kept the solutions back.
        Err(_) => originals(course, lab, &sums::recorded_stub(lab).unwrap_or_default())?,
    };
    if stub.is_empty() {
        let next =
            format!("Put {} back first: cargo xtask reset {} --tests", lab.shown(sums::FILE), lab.short());
        return Err(Stop::new(Exit::LabBroken, "nobody knows the stub any more", next).into());
    }
    let mut yours = sources::author_files(&lab.dir)?;
    // The grader's own files are mended by `--tests`.
    for files in [&mut stub, &mut yours] {
        files.retain(|name, _| sources::is_learners(name));
    }
    if yours == stub {
        anstream::println!("{} is the stub already; nothing was changed.", lab.short());
        return Ok(Exit::Passed);
    }
    let backup = back_up(course, lab, yours.keys())?;
    for name in yours.keys().filter(|name| !stub.contains_key(*name)) {
        fs::remove_file(lab.dir.join(name))?;
    }
    files::write(&lab.dir, &stub)?;
    anstream::println!("{} is the stub again. Your work is in {backup}", lab.short());
    anstream::println!("The way back: cp -R {backup}/. labs/{}/", lab.name);
    Ok(Exit::Passed)
}

fn mend_suite(course: &Course, lab: &Lab) -> anyhow::Result<Exit> {
    let sums = match sums::recorded(lab) {
        Some(sums) => sums,
        // The list itself is damaged: the last commit has it.
        None => {
            let shown = lab.shown(sums::FILE);
            let text = git(course, &["show", &format!("HEAD:{shown}")], lab, &shown)?;
            fs::write(lab.dir.join(sums::FILE), text)?;
            anstream::println!("put back {shown}");
            sums::recorded(lab).with_context(|| format!("{shown} is damaged in the last commit too"))?
        }
    };
    let changed = sums::changed(lab)?;
    // All of them are read before the first is touched: half a suite would be worse than a wrong one.
    let originals =
        originals(course, lab, &sums.into_iter().filter(|(name, _)| changed.contains(name)).collect())?;
    if originals.is_empty() {
        anstream::println!("The suite of {} is as its author left it.", lab.short());
        return Ok(Exit::Passed);
    }
    let backup = back_up(course, lab, originals.keys())?;
    files::write(&lab.dir, &originals)?;
    for name in originals.keys() {
        anstream::println!("put back {}", lab.shown(name));
    }
    if course.root.join(&backup).exists() {
        anstream::println!("What was there is in {backup}");
    }
    anstream::println!("Now: cargo xtask check {}", lab.short());
    Ok(Exit::Passed)
}

/// Files of a lab as their author left them, from git's history.
fn originals(course: &Course, lab: &Lab, sums: &Sums) -> anyhow::Result<Files> {
    let original = |(name, id): (&String, &String)| {
        let text = git(course, &["cat-file", "blob", id], lab, &lab.shown(name))?;
        Ok((name.clone(), text))
    };
    sums.iter().map(original).collect()
}

/// Copies files of a lab into a new folder under `.labs/backup`, and says how that folder is called from the root.
fn back_up<'a>(
    course: &Course,
    lab: &Lab,
    names: impl Iterator<Item = &'a String>,
) -> anyhow::Result<String> {
    let backups = course.state_dir().join("backup");
    let backup = state::free_name(|n| backups.join(format!("{}-{n}", lab.name)));
    for name in names {
        let from = lab.dir.join(name);
        if from.exists() {
            copy(&from, &backup.join(name)).with_context(|| format!("cannot keep {}", from.display()))?;
        }
    }
    Ok(shown(course, &backup))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to.parent().expect("a file below a folder"))?;
    fs::copy(from, to)?;
    Ok(())
}

fn shown(course: &Course, path: &Path) -> String {
    path.strip_prefix(&course.root).unwrap_or(path).display().to_string()
}

/// Asks git for a file of the course.
fn git(course: &Course, arguments: &[&str], lab: &Lab, file: &str) -> anyhow::Result<String> {
    let output = Command::new("git").current_dir(&course.root).args(arguments).output();
    match output {
        Ok(output) if output.status.success() => Ok(String::from_utf8(output.stdout)?),
        _ => {
            let what = format!("git has no original of {file}");
            let next = format!("Clone the course anew and copy labs/{}/src from here into it.", lab.name);
            Err(Stop::new(Exit::LabBroken, what, next).into())
        }
    }
}
