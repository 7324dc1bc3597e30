//! Starts Apache Kafka in a container and takes it away again.
//!
//! ```text
//! broker                    lives as long as its standard input is open
//! broker --detached FILE    the same until the broker answers, from then on until a signal; FILE says where it is
//! ```
//!
//! Prints one line of JSON on standard output when the broker *answers*, `{"bootstrap":"127.0.0.1:32768",…}`, or
//! `{"problem":{…}}` if there will be none. What goes on meanwhile stands on standard error.
//!
//! The one who starts it may die in any way: standard input closes then, and the container goes. If this process
//! itself is killed, the next one removes the container (see [`owner`]), and in two hours it ends by itself.

mod answer;
mod container;
mod ending;
mod engine;
mod image;
mod owner;
mod problem;

use ending::Ending;
use engine::{Engine, Silence};
use image::Kafka;
use owner::Owner;
use problem::Problem;
use serde_json::{Value, json};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};
use testcontainers::{ContainerAsync, bollard::Docker, core::client::docker_client_instance};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

/// The longest wait for containers to go, on an engine that may have stopped in between.
const REMOVE_LIMIT: Duration = Duration::from_secs(60);

/// A container that is on its way, with its address.
type Start = JoinHandle<Result<(ContainerAsync<Kafka>, String), Problem>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let file = match &arguments[..] {
        [] => None,
        [option, file] if option == "--detached" => Some(PathBuf::from(file)),
        _ => {
            eprintln!("usage: broker [--detached FILE]");
            return ExitCode::from(2);
        }
    };
    match run(file.as_deref()).await {
        Ok(code) => code,
        Err(problem) => {
            print(&problem.to_json());
            ExitCode::FAILURE
        }
    }
}

async fn run(file: Option<&Path>) -> Result<ExitCode, Problem> {
    let ending = Ending::listen()
        .map_err(|error| Problem::new(format!("signals cannot be received: {error}"), container::WITHOUT))?;
    let (owner, began) = (Owner::new()?, Instant::now());
    let image = Kafka::chosen();
    let (engine, docker) = tokio::select! {
        ready = prepare(&owner, &image) => ready?,
        () = ending.clone().by_anything() => return Ok(ExitCode::SUCCESS),
    };
    let mut start: Start = tokio::spawn(container::start(engine, image.clone(), owner.labels()));
    let lived = tokio::select! {
        started = &mut start => match started.expect("starting does not panic") {
            Ok((container, bootstrap)) => {
                eprintln!("Kafka answers at {bootstrap} after {:.1} s", began.elapsed().as_secs_f64());
                let line = json!({
                    "bootstrap": bootstrap, "container": container.id(), "image": image.full_name(),
                    "pid": std::process::id(), "lock": owner.lock_file(),
                });
                live(&container, &line, file, ending).await
            }
            Err(problem) => Err(problem),
        },
        () = ending.clone().by_anything() => Ok(ExitCode::SUCCESS),
    };
    remove(&owner, &docker, &start).await;
    lived
}

/// Everything that must be so before a container can be made. Nothing stays behind when this is dropped.
async fn prepare(owner: &Owner, image: &Kafka) -> Result<(Engine, Docker), Problem> {
    eprintln!("looking for the Docker engine");
    let find = || Engine::find().and_then(|engine| engine.ping().map(|()| engine));
    let found = tokio::task::spawn_blocking(find).await.expect("looking does not panic");
    let silent = |silence: Silence| {
        Problem::new(silence.to_string(), [silence.remedy(), container::WITHOUT].join("\n"))
    };
    let engine = found.map_err(silent)?;
    let docker = docker_client_instance().await.map_err(|error| {
        Problem::new(format!("the Docker engine cannot be used: {error}"), container::WITHOUT)
    })?;
    owner.sweep(&docker).await;
    container::pull(&docker, image).await?;
    Ok((engine, docker))
}

/// Says where the broker is, and ends when it must.
async fn live(
    container: &ContainerAsync<Kafka>,
    line: &Value,
    file: Option<&Path>,
    ending: Ending,
) -> Result<ExitCode, Problem> {
    let told = async {
        match file {
            Some(_) => ending.by_signal().await,
            None => ending.by_anything().await,
        }
    };
    if let Some(file) = file {
        publish(file, line).map_err(|error| {
            Problem::new(format!("{} cannot be written: {error}", file.display()), "Look at its folder.")
        })?;
    }
    print(line);
    let code = tokio::select! {
        () = told => ExitCode::SUCCESS,
        () = container::ended(container) => {
            eprintln!("the container has ended: after two hours it does, and when Docker stops");
            ExitCode::FAILURE
        }
    };
    if let Some(file) = file {
        let _ = fs::remove_file(file);
    }
    Ok(code)
}

/// Removes every container of this process. One may come into being only now, from a request that was under way
/// when this process was told to end: so it is over when the start is over and none is left.
async fn remove(owner: &Owner, docker: &Docker, start: &Start) {
    let all_gone = async {
        loop {
            let over = start.is_finished();
            if owner.remove_all(docker).await && over {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    if timeout(REMOVE_LIMIT, all_gone).await.is_err() {
        eprintln!("the container could not be removed; it ends by itself within two hours");
    }
}

/// A reader meets the whole file or none.
fn publish(file: &Path, line: &Value) -> io::Result<()> {
    let unfinished = file.with_extension("new");
    fs::write(&unfinished, format!("{line}\n"))?;
    fs::rename(unfinished, file)
}

/// The one line. Whoever wanted it may have gone; standard input tells of that.
fn print(line: &Value) {
    use std::io::Write as _;
    let _ = writeln!(io::stdout(), "{line}");
}
