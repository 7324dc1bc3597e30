//! The brokers that labs are proven on: the embedded one, and Kafka in a container where a Docker engine answers.

use crate::cli::Proof;
use xtask::{
    course::{Course, Lab},
    exit::{Exit, Stop},
    grade::{
        Event, Session,
        broker::{self, Broker, Choice, Plan, engine::Engine},
    },
    verdict::Backend,
};

/// Where testkit's own proof lies that brokers behave alike.
const CONFORMANCE: [&str; 2] = ["testkit/tests/conformance.rs", "testkit/tests/conformance/main.rs"];

/// The brokers of one run, and what to say of them.
#[derive(Debug)]
pub struct Brokers {
    all: Vec<Broker>,
    pub says: String,
}

impl Brokers {
    /// Starts what these labs need. One container serves the whole run.
    pub fn begin(
        course: &Course,
        session: &Session,
        labs: &[&Lab],
        everything: bool,
        only: Option<Proof>,
    ) -> anyhow::Result<Self> {
        let needed = labs.iter().any(|lab| needs_kafka(lab)) || everything && conforms(course);
        if !needed {
            return Ok(Self { all: Vec::new(), says: "no broker: nothing here needs Kafka".into() });
        }
        let embedded = || Self { all: vec![Broker::embedded()], says: "the embedded broker".into() };
        match only {
            Some(Proof::Embedded) => {
                let says = "the embedded broker only, as was asked".into();
                Ok(Self { says, ..embedded() })
            }
            Some(Proof::Docker) => {
                let docker = in_container(course, session)
                    .map_err(|(what, next)| Stop::new(Exit::Infrastructure, what, next))?;
                let says = format!("{} only, as was asked", shown(&docker));
                Ok(Self { all: vec![docker], says })
            }
            None => {
                let answers = Engine::find().and_then(|engine| engine.ping());
                let docker = match answers {
                    Ok(()) => in_container(course, session).map_err(|(what, _)| what),
                    Err(silence) => Err(silence.to_string()),
                };
                let mut brokers = embedded();
                match docker {
                    Ok(docker) => {
                        brokers.says = format!("the embedded broker and {}", shown(&docker));
                        brokers.all.push(docker);
                    }
                    Err(why) => {
                        brokers.says = format!("the embedded broker, not Kafka in a container: {why}")
                    }
                }
                Ok(brokers)
            }
        }
    }

    /// What to prove a lab on: on nothing in particular, or on each broker.
    pub fn of(&self, lab: &Lab) -> Vec<Option<&Broker>> {
        if needs_kafka(lab) { self.all.iter().map(Some).collect() } else { vec![None] }
    }

    /// The one whose container runs.
    pub fn docker(&self) -> Option<&Broker> {
        self.all.iter().find(|broker| broker.told.backend == Backend::Docker)
    }
}

/// A damaged `lab.toml` is told elsewhere.
fn needs_kafka(lab: &Lab) -> bool {
    lab.manifest().is_ok_and(|manifest| manifest.needs_kafka())
}

/// Whether testkit can show that brokers behave alike.
pub fn conforms(course: &Course) -> bool {
    CONFORMANCE.iter().any(|path| course.root.join(path).is_file())
}

/// Inner error: what failed, and what to do.
fn in_container(course: &Course, session: &Session) -> Result<Broker, (String, String)> {
    let watcher = |event: Event<'_>| {
        if let Event::Said { text } = event {
            super::say(text);
        }
    };
    let plan = Plan::asked(course, &Choice::Docker);
    let broker = broker::begin(session, &course.root, plan, &watcher)
        .and_then(|coming| coming.wait(session, &watcher));
    broker.map_err(|problem| {
        let why = [problem.what].into_iter().chain(problem.details).collect::<Vec<_>>().join(": ");
        (why, problem.next)
    })
}

fn shown(broker: &Broker) -> String {
    let image = broker.told.image.as_ref().map_or(String::new(), |image| format!(" ({image})"));
    format!("Kafka in a container{image}")
}
