//! Scratch courses, and the grader run in them as a person runs it.
//!
//! A course is made of the small labs under `tests/fixtures` and stays in the target folder, so that a second
//! run finds it compiled. Everything that a learner changes in it is put back when it is taken again.

// Each test file uses a part of this.
#![allow(dead_code)]

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use xtask::{
    course::sums,
    files::{self, Files},
    scratch::Scratch,
};

/// The longest wait for something that must happen, such as a build while somebody else builds in the same target
/// folder. Only a broken grader meets it.
const BOUND: Duration = Duration::from_secs(300);

/// How often it is looked whether it has happened.
const TICK: Duration = Duration::from_millis(10);

/// A course of a test's own. While it lives, nobody else takes it: neither a test beside this one nor one of a
/// second `cargo test`.
pub struct Course {
    pub root: PathBuf,
    _lock: File,
}

/// What a run of the grader came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit code. `None`: it was ended by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Course {
    /// A course of these fixtures, in this order: the first is lab-00.
    pub fn of(name: &str, fixtures: &[&str]) -> Self {
        let (mut scratch, lock) = Self::take(name);
        let labs = scratch.root.join("labs");
        let names: Vec<String> =
            (0..).zip(fixtures).map(|(number, fixture)| format!("lab-{number:02}-{fixture}")).collect();
        keep_only(&labs, &names);
        for (lab, fixture) in names.iter().zip(fixtures) {
            scratch.package(&format!("labs/{lab}"), &package(lab, fixture)).unwrap();
        }
        if fixtures.contains(&"kafka") {
            scratch.package("broker", &files::read(&workspace().join("broker")).unwrap()).unwrap();
        }
        scratch.finish(&workspace()).unwrap();
        let course = Self { root: scratch.root, _lock: lock };
        names.iter().for_each(|lab| course.seal(lab));
        course
    }

    /// A course without a lab, for `new-lab`.
    pub fn empty(name: &str) -> Self {
        let (mut scratch, lock) = Self::take(name);
        for folder in ["labs", "solutions"] {
            keep_only(&scratch.root.join(folder), &[]);
            fs::create_dir_all(scratch.root.join(folder)).unwrap();
            // Whatever comes to lie there is a member, as in the course itself.
            scratch.package(&format!("{folder}/*"), &Files::new()).unwrap();
        }
        scratch.finish(&workspace()).unwrap();
        Self { root: scratch.root, _lock: lock }
    }

    fn take(name: &str) -> (Scratch, File) {
        let name = format!("tests/{}/{name}", env!("CARGO_CRATE_NAME"));
        let scratch = Scratch::begin(&workspace(), &name);
        fs::create_dir_all(&scratch.root).unwrap();
        let lock = File::create(scratch.root.join("lock")).unwrap();
        lock.lock().unwrap();
        for left in [".labs", ".git", "notes"] {
            let _ = fs::remove_dir_all(scratch.root.join(left));
        }
        fs::create_dir(scratch.root.join("notes")).unwrap();
        (scratch, lock)
    }

    /// Writes down the suite as it is now: from here on a change of it is seen.
    pub fn seal(&self, lab: &str) {
        let dir = self.root.join("labs").join(lab);
        let text = sums::to_text(&sums::of_files(&dir).unwrap());
        fs::write(dir.join(sums::FILE), text).unwrap();
    }

    /// The grader as somebody in the course's folder would start it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(arguments)
            .current_dir(&self.root)
            // The libraries that the course itself has compiled serve here too.
            .env("CARGO_TARGET_DIR", target_dir())
            .env("NO_COLOR", "1")
            .env("FIXTURE_NOTES", self.root.join("notes"))
            .env_remove("LABS_KAFKA_BACKEND")
            .env_remove("LABS_KAFKA_BOOTSTRAP")
            .env_remove("CI")
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_WORK_TREE");
        heeds_signals(&mut command);
        command
    }

    pub fn xtask(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// The verdict of a check, as a program reads it.
    pub fn verdict(&self, arguments: &[&str]) -> (Ran, serde_json::Value) {
        let ran = self.xtask(&[&["check"], arguments, &["--format", "json"]].concat());
        let verdict = ran.verdict();
        (ran, verdict)
    }

    /// The id of the process that wrote itself down under this name, as soon as it has.
    pub fn pid(&self, name: &str) -> u32 {
        let path = self.root.join("notes").join(name);
        until(&format!("{name} runs"), || path.exists());
        fs::read_to_string(path).unwrap().parse().unwrap()
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.root.join(path), text).unwrap();
    }

    /// Replaces a text that stands in a file once.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(old).count(), 1, "{old:?} in {path}");
        self.write(path, &text.replace(old, new));
    }

    /// Makes the course a repository of its own with everything committed.
    pub fn commit(&self) {
        for arguments in [
            "init --quiet",
            "add labs Cargo.toml",
            "-c user.name=a -c user.email=a@example.com commit --quiet --message all",
        ] {
            let mut command = Command::new("git");
            command.args(arguments.split(' ')).current_dir(&self.root);
            for variable in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
                command.env_remove(variable);
            }
            assert!(command.status().unwrap().success(), "git {arguments}");
        }
    }

    /// The folders of runs that are there now.
    pub fn runs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join("target/labs")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// What a check with `--format json` said.
    pub fn verdict(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self:?}"))
    }

    /// Ends the test unless this was the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Ends the test unless the text was said on standard output.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "{text:?} is not in:\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Ends the test unless the text was said on standard error.
    #[track_caller]
    pub fn complains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} is not in:\n{}\n{}", self.stderr, self.stdout);
        self
    }
}

/// A grader that ends with the test, also when the test fails.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for something that must happen.
#[track_caller]
pub fn until(what: &str, happened: impl Fn() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < BOUND, "not within {} s: {what}", BOUND.as_secs());
        // Files and processes of others tell nobody of a change, so that they have to be looked at again.
        thread::sleep(TICK);
    }
}

/// Whether a process runs. One that has ended and that nobody has asked for is none.
pub fn runs(pid: u32) -> bool {
    if !kill("0", &pid.to_string()) {
        return false;
    }
    // `1234 (name) S …` on Linux; other systems have no such file, and an `init` that collects at once.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, Some('Z' | 'X'))
}

/// Sends a signal, such as `INT`, to a process, or to the group `-1234`. Says whether there was somebody to get it.
pub fn kill(signal: &str, to: &str) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("kill -s {signal} -- {to}")]).stderr(Stdio::null());
    shell.status().expect("every system has a shell").success()
}

/// The workspace that this test belongs to.
fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask lies in the workspace").to_owned()
}

/// The target folder that this test was built in.
fn target_dir() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo makes it in the target folder")
}

/// A fixture as a package: its files, and the manifest that all labs have.
fn package(lab: &str, fixture: &str) -> Files {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    let mut files = files::read(&dir).unwrap();
    assert!(!files.is_empty(), "no fixture {fixture}");
    let manifest = format!(
        "[package]\nname = \"{lab}\"\nversion.workspace = true\nedition.workspace = true\n\n\
         [dependencies]\nproto.workspace = true\ntokio.workspace = true\ntonic.workspace = true\n\n\
         [dev-dependencies]\ntestkit.workspace = true\n"
    );
    files.insert("Cargo.toml".into(), manifest);
    files
}

/// Removes what an earlier run has left in a folder, less what is needed again.
fn keep_only(folder: &Path, names: &[String]) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        if !names.iter().any(|name| **name == *entry.file_name()) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
}

/// Has a command end by the signals that a terminal sends. Who is started in the background of a script, or by nohup,
/// ignores them, and all that it starts would do so too: a test would wait for ever.
#[allow(unsafe_code)]
fn heeds_signals(command: &mut Command) {
    // SAFETY: between fork and exec only such calls are allowed as signal handlers may make; `signal` is one.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::signal(libc::SIGHUP, libc::SIG_DFL);
            Ok(())
        })
    };
}
