//! The Kafka that a lab's tests talk to: in a container, embedded in each test's process, or somebody's own.
//!
//! ```text
//! choice ─▶ begin (build and start the broker program) … the suite compiles … ─▶ wait ─▶ Broker
//! ```
//!
//! A broker that is not there is never the learner's fault: it ends a check as *infrastructure* where somebody asked
//! for that broker, and otherwise the embedded one takes its place.

// One source for two programs, since the grader depends on no other package: both must mean the same by an engine
// that answers and by a broker that does.
#[path = "../../../../broker/src/answer.rs"]
mod answer;
#[path = "../../../../broker/src/engine.rs"]
pub mod engine;

mod choice;
mod program;
pub mod warm;

pub use choice::{Choice, Plan};
pub use program::Program;

use super::{Event, Session, Watcher};
use crate::verdict::{self, Backend, Problem, Step};
use engine::Engine;
use std::{path::Path, process::Command, time::Duration};

/// A broker that lives answers within milliseconds.
const ANSWER: Duration = Duration::from_secs(10);

/// What a test's process is told. The other end is `testkit/src/kafka/backend.rs`.
pub const BACKEND: &str = "LABS_KAFKA_BACKEND";
pub const BOOTSTRAP: &str = "LABS_KAFKA_BOOTSTRAP";

/// How to go on when there is no container.
const WITHOUT: &str = "To go on without Docker: --broker embedded";

/// A broker that tests can use. When it is dropped, the container that was started for it goes.
#[derive(Debug)]
pub struct Broker {
    pub told: verdict::Broker,
    _program: Option<Program>,
}

/// A broker that may still be starting.
#[derive(Debug)]
pub enum Coming {
    There(Broker),
    Starting { program: Program, asked: bool },
}

impl Broker {
    fn new(backend: Backend, bootstrap: Option<String>, image: Option<String>) -> Self {
        Self { told: verdict::Broker { backend, bootstrap, image }, _program: None }
    }

    pub fn embedded() -> Self {
        Self::new(Backend::Embedded, None, None)
    }

    /// Tells a test's process of it.
    pub fn tell(&self, command: &mut Command) {
        command.env(BACKEND, self.told.backend.name());
        match &self.told.bootstrap {
            Some(bootstrap) => command.env(BOOTSTRAP, bootstrap),
            None => command.env_remove(BOOTSTRAP),
        };
    }

    /// Why it cannot be used now, if it cannot. A cluster may want encryption and passwords, which the tests have to
    /// bring; that somebody listens is all that can be asked of it.
    pub fn silence(&self) -> Option<Problem> {
        let bootstrap = self.told.bootstrap.as_ref()?;
        let (answer, next) = match self.told.backend {
            Backend::Embedded => return None,
            Backend::Docker => (
                answer::kafka(bootstrap, ANSWER),
                format!("See what became of its container: docker ps\n{WITHOUT}"),
            ),
            Backend::External => (
                first_that_accepts(bootstrap),
                "Look at that Kafka and at the address.\nTo go on without it: --broker embedded".to_owned(),
            ),
        };
        let error = answer.err()?;
        let what = format!("no Kafka answers at {bootstrap} ({error}); this is not about your code");
        Some(Problem::new(what, Vec::new(), next))
    }

    /// Why tests that failed on it say nothing, if they do not: it went away under them, or did not do what every
    /// broker does.
    pub fn at_fault(&self, steps: &[Step]) -> Option<Problem> {
        let tests = || steps.iter().flat_map(|step| &step.tests);
        let silence = tests().any(|test| test.outcome.is_failure()).then(|| self.silence()).flatten();
        silence.or_else(|| {
            let why = tests().find_map(|test| test.unusable.clone())?;
            Some(Problem::new(
                "the broker did not do what the suite needs of it; this is not about your code",
                vec![why],
                "Check again when this machine has less to do. If it happens each time, look at what your code does to the \
                 broker.\nTo go on without it: --broker embedded",
            ))
        })
    }
}

/// Of a cluster's brokers any one leads to the others.
fn first_that_accepts(bootstrap: &str) -> std::io::Result<()> {
    let mut last = Err(std::io::ErrorKind::NotFound.into());
    for address in bootstrap.split(',') {
        last = answer::connect(address.trim(), ANSWER).map(drop);
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Begins with what was planned. A container starts while its check goes on to compile.
pub fn begin(session: &Session, root: &Path, plan: Plan, watcher: Watcher<'_>) -> Result<Coming, Problem> {
    let asked = plan.asked;
    if let Some(note) = &plan.note {
        watcher(Event::Said { text: note });
    }
    let broker = plan.broker;
    if broker.told.backend != Backend::Docker || broker.told.bootstrap.is_some() {
        return broker.silence().map_or(Ok(Coming::There(broker)), Err);
    }
    match start(session, root, None, watcher) {
        Ok(program) => Ok(Coming::Starting { program, asked }),
        Err(problem) => instead(problem, asked, watcher).map(Coming::There),
    }
}

/// Starts the program that keeps Kafka in a container. With a file it lives on by itself, see [`Program::start`].
pub fn start(
    session: &Session,
    root: &Path,
    detached: Option<&Path>,
    watcher: Watcher<'_>,
) -> Result<Program, Problem> {
    // The program would find out as well, minutes later: it has to be compiled first.
    Engine::find().and_then(|engine| engine.ping()).map_err(|silence| {
        Problem::new(silence.to_string(), Vec::new(), format!("{}\n{WITHOUT}", silence.remedy()))
    })?;
    Program::start(session, &program::build(session, root, watcher)?, detached)
}

impl Coming {
    /// Whether one that an earlier check used still serves.
    pub fn is_usable(&self) -> bool {
        match self {
            Self::There(broker) => broker.silence().is_none(),
            Self::Starting { .. } => true,
        }
    }

    /// Waits until the broker answers.
    pub fn wait(self, session: &Session, watcher: Watcher<'_>) -> Result<Broker, Problem> {
        let (mut program, asked) = match self {
            Self::There(broker) => return Ok(broker),
            Self::Starting { program, asked } => (program, asked),
        };
        match program.wait(session, watcher) {
            Ok(line) => {
                let broker = Broker::new(Backend::Docker, Some(line.bootstrap), line.image);
                Ok(Broker { _program: Some(program), ..broker })
            }
            Err(problem) => instead(problem, asked, watcher),
        }
    }
}

/// The embedded broker, unless somebody asked for the one that failed.
fn instead(problem: Problem, asked: bool, watcher: Watcher<'_>) -> Result<Broker, Problem> {
    if asked {
        return Err(problem);
    }
    let text = format!("On the embedded broker, since {}. More about that: --broker docker", problem.what);
    watcher(Event::Said { text: &text });
    Ok(Broker::embedded())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn any_broker_of_a_cluster_will_do() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap().to_string();
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let at = |bootstrap: String| Broker::new(Backend::External, Some(bootstrap), None);
        assert_eq!(at(format!("{gone}, {here}")).silence(), None);
        let problem = at(gone.clone()).silence().unwrap();
        assert!(problem.what.contains(&gone), "{problem:?}");
        let docker = Broker::new(Backend::Docker, Some(gone), None);
        assert!(docker.silence().unwrap().next.contains("docker ps"));
        assert_eq!(Broker::embedded().silence(), None);
    }

    #[test]
    fn a_broker_that_does_not_serve_is_at_fault() {
        let step = |unusable: Option<&str>| {
            let test = verdict::Test {
                name: "a::b".into(),
                outcome: verdict::TestOutcome::Failed,
                millis: 1,
                failure: None,
                unusable: unusable.map(str::to_owned),
                asks_for_broker: true,
            };
            let state = verdict::State::of(std::slice::from_ref(&test));
            Step {
                number: 1,
                title: String::new(),
                state,
                points: 0,
                points_possible: 1,
                readme: String::new(),
                tests: vec![test],
            }
        };
        assert!(Broker::embedded().at_fault(&[step(None)]).is_none());
        let problem = Broker::embedded().at_fault(&[step(None), step(Some("a topic is created"))]).unwrap();
        assert_eq!(problem.details, ["a topic is created"]);
    }
}
