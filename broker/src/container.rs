//! From an image to a broker that answers.

use crate::{
    answer,
    engine::Engine,
    image::{Kafka, LOGS, PORT, address},
    problem::Problem,
};
use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use testcontainers::{
    ContainerAsync, ContainerRequest, ImageExt as _, TestcontainersError,
    bollard::{Docker, errors, models::PortBinding},
    core::{client::ClientError, logs::LogFrame},
    runners::AsyncRunner as _,
};
use tokio::time::{interval, sleep, timeout};

const PULL_LIMIT: Duration = Duration::from_secs(600);
/// Many times what a slow machine needs: the official image takes some seconds.
const START_LIMIT: Duration = Duration::from_secs(240);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The broker's part of busy cores, where a container has 1024 if nothing is said.
const CPU_SHARES: i64 = 8192;

/// How often somebody who waits is told that it goes on.
const PROGRESS: Duration = Duration::from_secs(5);

/// As much of the container's log as helps.
const LOG_LINES: usize = 15;

pub const WITHOUT: &str = "To go on without Docker: --broker embedded";

/// Gets the image unless it is here already: a local one has no registry to be asked for.
pub async fn pull(docker: &Docker, image: &Kafka) -> Result<(), Problem> {
    let name = image.full_name();
    match docker.inspect_image(&name).await {
        Ok(_) => return Ok(()),
        Err(errors::Error::DockerResponseServerError { status_code: 404, .. }) => {}
        Err(error) => return Err(Problem::new(format!("Docker says of the image {name}: {error}"), WITHOUT)),
    }
    let pulled = timeout(PULL_LIMIT, telling(&format!("pulling {name}"), image.clone().pull_image())).await;
    let why = match pulled {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it was not here after {} s", PULL_LIMIT.as_secs()),
    };
    Err(Problem {
        what: format!("the image {name} is not on this machine and cannot be pulled"),
        details: vec![why],
        next: format!(
            "See for yourself: docker pull {name}\n\
             An image that is here (docker images) can be named: LABS_KAFKA_IMAGE=NAME:TAG\n{WITHOUT}"
        ),
    })
}

/// Starts a container and waits until its broker answers. Gives the container and its address.
pub async fn start(
    engine: Engine,
    image: Kafka,
    labels: [(String, String); 2],
) -> Result<(ContainerAsync<Kafka>, String), Problem> {
    let name = image.full_name();
    let log = Log::default();
    let lines = log.clone();
    let request = ContainerRequest::from(image)
        .with_labels(labels)
        .with_startup_timeout(START_LIMIT)
        .with_log_consumer(move |frame: &LogFrame| lines.add(frame))
        .with_host_config_modifier(move |host| {
            // Nobody may be there to remove it when it ends.
            host.auto_remove = Some(true);
            // Everybody waits for the broker: where the cores are busy it comes first.
            host.cpu_shares = Some(CPU_SHARES);
            // For everybody: the broker is not root in there.
            host.tmpfs = Some(HashMap::from([(LOGS.to_owned(), "mode=1777".to_owned())]));
            if engine.is_local() {
                // A broker without passwords is for this machine, not for its network.
                let binding =
                    PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(String::new()) };
                host.publish_all_ports = Some(false);
                host.port_bindings = Some(HashMap::from([(PORT.to_string(), Some(vec![binding]))]));
            }
        });
    let failed = |error: TestcontainersError| failed_to_start(&name, &error, log.tail());
    let container = telling(&format!("starting {name}"), request.start()).await.map_err(failed)?;
    let host = container.get_host().await.map_err(failed)?;
    let port = container.get_host_port_ipv4(PORT).await.map_err(failed)?;
    let address = address(&host.to_string(), port);
    answers(&address).await.map_err(|error| Problem {
        what: format!("Kafka runs in a container, and {address} does not answer: {error}"),
        details: log.tail(),
        next: format!("Look for a firewall between this program and Docker's ports.\n{WITHOUT}"),
    })?;
    Ok((container, address))
}

/// Waits until the container has ended.
pub async fn ended(container: &ContainerAsync<Kafka>) {
    while matches!(container.is_running().await, Ok(true)) {
        sleep(Duration::from_secs(2)).await;
    }
}

/// The log says "started" a moment before the first request is served.
async fn answers(address: &str) -> io::Result<()> {
    let began = Instant::now();
    loop {
        let asked = address.to_owned();
        let ask = move || answer::kafka(&asked, Duration::from_secs(5));
        match tokio::task::spawn_blocking(ask).await.expect("asking does not panic") {
            Err(_) if began.elapsed() < ANSWER_LIMIT => sleep(Duration::from_millis(20)).await,
            result => return result,
        }
    }
}

fn failed_to_start(image: &str, error: &TestcontainersError, log: Vec<String>) -> Problem {
    let what = match error {
        TestcontainersError::WaitContainer(_) | TestcontainersError::PortNotExposed { .. } => {
            format!("the container of {image} did not become a broker")
        }
        TestcontainersError::Client(ClientError::StartContainer(_) | ClientError::CreateContainer(_)) => {
            format!("Docker could not start a container of {image}")
        }
        _ => format!("a container of {image} could not be started"),
    };
    let details = if log.is_empty() { vec![error.to_string()] } else { log };
    Problem { what, details, next: format!("Look at Docker: docker info\n{WITHOUT}") }
}

/// Says what goes on, now and every few seconds.
async fn telling<T>(what: &str, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let mut ticks = interval(PROGRESS);
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => match began.elapsed().as_secs() {
                0 => eprintln!("{what}"),
                seconds => eprintln!("{what}, {seconds} s so far"),
            }
        }
    }
}

/// The end of a container's log. The container itself is gone when somebody wants to read it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    fn add(&self, frame: &LogFrame) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend(String::from_utf8_lossy(frame.bytes()).lines().map(str::to_owned));
        while lines.len() > LOG_LINES {
            lines.pop_front();
        }
    }

    fn tail(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
