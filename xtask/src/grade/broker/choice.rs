//! Which broker a check uses, and why.

use super::{BACKEND, BOOTSTRAP, Broker, engine::Engine, warm};
use crate::{course::Course, exit::Stop, verdict::Backend};
use std::{env, fmt, str::FromStr};

/// What somebody may ask for: `--broker docker|embedded|HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Docker,
    Embedded,
    /// `HOST:PORT`, or several of a cluster with commas between them.
    External(String),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_address = |text: &str| {
            let parts = text.trim().rsplit_once(':');
            parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        match text {
            "docker" => Ok(Self::Docker),
            "embedded" => Ok(Self::Embedded),
            _ if text.split(',').all(is_address) => Ok(Self::External(text.to_owned())),
            _ => Err("neither docker, nor embedded, nor HOST:PORT such as localhost:9092".to_owned()),
        }
    }
}

/// As it is typed.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Embedded => "embedded",
            Self::External(address) => address,
        })
    }
}

/// The broker to use. One in a container that has no address yet must be started first.
#[derive(Debug)]
pub struct Plan {
    pub broker: Broker,
    /// Somebody wants this one and no other.
    pub asked: bool,
    /// Why it is this one, where nobody asked.
    pub note: Option<String>,
}

impl Plan {
    /// What the command line says; else what the environment says; else a warm broker; else a container where a
    /// Docker engine answers; else the embedded broker.
    pub fn make(course: &Course, option: Option<&Choice>) -> anyhow::Result<Self> {
        if let Some(choice) = option {
            return Ok(Self::asked(course, choice));
        }
        let variable = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        match (variable(BACKEND).as_deref(), variable(BOOTSTRAP)) {
            (None | Some("external"), Some(bootstrap)) => {
                let choice = bootstrap.parse().map_err(|error| {
                    let what = format!("{BOOTSTRAP}={bootstrap} is {error}");
                    Stop::usage(what, format!("Forget it with: unset {BOOTSTRAP}"))
                })?;
                Ok(Self::asked(course, &choice))
            }
            (Some("docker"), Some(bootstrap)) => {
                Ok(Self::of(Broker::new(Backend::Docker, Some(bootstrap), None), true))
            }
            (Some("docker"), None) => Ok(Self::asked(course, &Choice::Docker)),
            (Some("embedded"), _) => Ok(Self::asked(course, &Choice::Embedded)),
            (Some(other), _) => {
                let what = format!("{BACKEND}={other} names no broker");
                Err(Stop::usage(what, format!("Say docker or embedded, or forget it: unset {BACKEND}"))
                    .into())
            }
            (None, None) => Ok(Self::found(course)),
        }
    }

    fn of(broker: Broker, asked: bool) -> Self {
        Self { broker, asked, note: None }
    }

    /// What somebody asked for.
    pub fn asked(course: &Course, choice: &Choice) -> Self {
        let broker = match choice {
            Choice::Embedded => Broker::embedded(),
            Choice::External(bootstrap) => Broker::new(Backend::External, Some(bootstrap.clone()), None),
            Choice::Docker => in_container(course),
        };
        Self::of(broker, true)
    }

    fn found(course: &Course) -> Self {
        if let Some(broker) = answering(course) {
            return Self::of(broker, false);
        }
        match Engine::find().and_then(|engine| engine.ping()) {
            Ok(()) => Self::of(in_container(course), false),
            Err(silence) => {
                let remedy = silence.remedy();
                let note = format!("On the embedded broker, since {silence}. For real Kafka: {remedy}");
                Self { broker: Broker::embedded(), asked: false, note: Some(note) }
            }
        }
    }
}

/// A warm broker where there is one, else one that must be started.
fn in_container(course: &Course) -> Broker {
    answering(course).unwrap_or_else(|| Broker::new(Backend::Docker, None, None))
}

/// The warm broker, if it answers.
fn answering(course: &Course) -> Option<Broker> {
    let warm = warm::find(course)?;
    let broker = Broker::new(Backend::Docker, Some(warm.bootstrap), warm.image);
    broker.silence().is_none().then_some(broker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_named_by_its_kind_or_its_address() {
        assert_eq!("docker".parse(), Ok(Choice::Docker));
        assert_eq!("embedded".parse(), Ok(Choice::Embedded));
        for address in ["localhost:9092", "a:1,b:2", "[::1]:9092"] {
            assert_eq!(address.parse(), Ok(Choice::External(address.into())));
        }
        for slip in ["", "kafka", "Docker", "a:x", "a:1,b", ":9092", "a:99999"] {
            assert!(slip.parse::<Choice>().is_err(), "{slip}");
        }
    }
}
