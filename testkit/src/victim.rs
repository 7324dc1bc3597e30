//! A process that dies: what a crash leaves undone can only be seen of one that had no time to clean up.

use crate::{Rule, Trial};
use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
};
use tokio::sync::mpsc;

/// Carries the victim's arguments, and says that a process is one.
pub(crate) const ARGUMENTS: &str = "LABS_VICTIM";

/// What every line of a victim to its suite begins with: libtest and code under test print to the same place.
const SAID: &str = "victim: ";

/// The same test in a second process, there to be killed.
///
/// A test that needs one begins by asking [`Victim::arguments`]: in the second process they are there, and the test
/// plays its other part until it is killed.
pub struct Victim {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    /// Open as long as the suite lives: a victim whose suite is gone ends by itself.
    _leash: Option<ChildStdin>,
}

impl Victim {
    /// The arguments of this process, if it is the victim of a test. It then ends when the suite is gone.
    pub fn arguments() -> Option<Vec<String>> {
        let arguments = serde_json::from_str(&env::var(ARGUMENTS).ok()?).ok()?;
        thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            std::process::exit(1);
        });
        Some(arguments)
    }

    /// Tells the suite something, from the victim.
    pub fn say(what: &str) {
        let mut stdout = std::io::stdout().lock();
        // Written past libtest, which keeps to itself what a test prints. Whoever does not listen is gone.
        let _ = writeln!(stdout, "\n{SAID}{what}").and_then(|()| stdout.flush());
    }

    /// Starts it. `test` is the full name of the test that calls this.
    ///
    /// # Panics
    /// When the process cannot be started.
    pub fn start(trial: &Trial, test: &str, arguments: &[&str]) -> Self {
        let arguments = serde_json::to_string(arguments).expect("texts are JSON");
        let mut child = Command::new(env::current_exe().expect("this process has a program"))
            .args([test, "--exact", "--nocapture", "--test-threads=2"])
            .env(ARGUMENTS, arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process of the suite");
        trial.did(format!("process {} starts", child.id()));
        let (sender, lines) = mpsc::unbounded_channel();
        let stdout = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix(SAID) {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        Self { _leash: child.stdin.take(), child, lines }
    }

    /// What it says next.
    pub async fn says(&mut self, rule: &Rule<'_>, expected: &str) -> String {
        match rule.within(expected, self.lines.recv()).await {
            Some(said) => said,
            None => rule.broken(expected, "the process ended by itself"),
        }
    }

    /// Kills it, as a crash of the machine would: it can do nothing about it.
    pub fn kill(mut self, trial: &Trial) {
        let id = self.child.id();
        let _ = self.child.kill();
        let _ = self.child.wait();
        trial.history().members_change(format!("process {id} is killed"));
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
