//! Which broker a test talks to.

use serde::Deserialize;
use std::{
    env, fs,
    net::{TcpStream, ToSocketAddrs as _},
    path::Path,
    time::Duration,
};

/// What speaks Kafka to a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Apache Kafka in a container that the grader started.
    Docker,
    /// librdkafka's mock cluster in this very process.
    Embedded,
    /// A cluster that somebody named: it is left as it was found.
    External,
}

/// Where the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// To be started in this process.
    Embedded,
    /// It listens here (`bootstrap.servers`).
    Listening { backend: Backend, bootstrap: String },
}

/// What `broker up` leaves for others to find.
#[derive(Debug, Deserialize)]
struct Warm {
    bootstrap: String,
}

impl Address {
    /// As the grader says, or the user; else a warm broker if there is one; else embedded.
    ///
    /// # Panics
    /// When the grader names a backend that does not exist, or one without its address.
    pub(super) fn from_environment() -> Self {
        let bootstrap = env::var("LABS_KAFKA_BOOTSTRAP").ok().filter(|bootstrap| !bootstrap.is_empty());
        let listening = |backend, bootstrap| Self::Listening { backend, bootstrap };
        match (env::var("LABS_KAFKA_BACKEND").as_deref(), bootstrap) {
            (Ok("embedded"), _) => Self::Embedded,
            (Ok("docker"), Some(bootstrap)) => listening(Backend::Docker, bootstrap),
            (Ok("external") | Err(_), Some(bootstrap)) => listening(Backend::External, bootstrap),
            (Err(_), None) => match warm() {
                Some(bootstrap) => listening(Backend::Docker, bootstrap),
                None => Self::Embedded,
            },
            (Ok(other), bootstrap) => {
                panic!(
                    "LABS_KAFKA_BACKEND={other} with LABS_KAFKA_BOOTSTRAP={bootstrap:?} names no broker. \
                     Unset both, or run the suite with: cargo xtask check"
                )
            }
        }
    }
}

/// The address of a warm broker that listens.
fn warm() -> Option<String> {
    let here = env::current_dir().ok()?;
    let file = here.ancestors().map(|dir| dir.join(".labs/broker.json")).find(|file| file.is_file())?;
    warm_in(&file)
}

fn warm_in(file: &Path) -> Option<String> {
    let warm: Warm = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    // A broker that was killed could not remove its file.
    let mut addresses = warm.bootstrap.to_socket_addrs().ok()?;
    let listens = addresses.any(|addr| TcpStream::connect_timeout(&addr, Duration::from_secs(2)).is_ok());
    listens.then_some(warm.bootstrap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_warm_broker_is_used_only_while_it_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bootstrap = listener.local_addr().unwrap().to_string();
        let file = env::temp_dir().join(format!("warm-{}.json", std::process::id()));
        fs::write(&file, format!(r#"{{"bootstrap":"{bootstrap}","pid":1}}"#)).unwrap();
        assert_eq!(warm_in(&file), Some(bootstrap));
        drop(listener);
        assert_eq!(warm_in(&file), None);
        fs::write(&file, "half a fi").unwrap();
        assert_eq!(warm_in(&file), None);
        fs::remove_file(&file).unwrap();
    }
}
