//! Whose container it is, so that none stays behind.
//!
//! A container bears the path of a file that its owner, a process like this one, holds locked. The kernel gives the
//! lock back however the process dies. So whoever can take the lock knows that the owner is dead, whatever process
//! has its number now.

use crate::problem::Problem;
use std::{
    collections::HashMap,
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use testcontainers::bollard::{
    Docker, errors,
    query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};
use tokio::time::timeout;

const OWNER: &str = "grpc-kafka-labs.owner";
const HOST: &str = "grpc-kafka-labs.host";

/// The longest wait for one answer of an engine that is there.
const LIMIT: Duration = Duration::from_secs(30);

/// This process as the owner of containers.
#[derive(Debug)]
pub struct Owner {
    path: PathBuf,
    host: String,
    _lock: File,
}

impl Owner {
    pub fn new() -> Result<Self, Problem> {
        let path = env::temp_dir().join(format!("grpc-kafka-labs-{}.lock", std::process::id()));
        let lock = || -> io::Result<File> {
            // An earlier process of this number may have left one behind, whose container may still be there. It
            // goes with the sweep, or the two belong to this process now and go with it.
            let file = File::options().create(true).append(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        match lock() {
            Ok(lock) => Ok(Self { host: host(), _lock: lock, path }),
            Err(error) => Err(Problem::new(
                format!("{} cannot be locked: {error}", path.display()),
                "Name a folder where files can be written and locked: TMPDIR=/path/to/folder",
            )),
        }
    }

    /// The file whose lock this process holds.
    pub fn lock_file(&self) -> &Path {
        &self.path
    }

    /// What each of its containers bears.
    pub fn labels(&self) -> [(String, String); 2] {
        [(OWNER.into(), self.path.display().to_string()), (HOST.into(), self.host.clone())]
    }

    /// Removes the containers of this machine whose owner is dead. What cannot be removed now, the next one sweeps.
    pub async fn sweep(&self, docker: &Docker) {
        for (id, owner) in containers(docker, &format!("{HOST}={}", self.host)).await.unwrap_or_default() {
            if owner != self.path && is_dead(&owner) {
                let _ = fs::remove_file(owner);
                remove(docker, &id).await;
            }
        }
    }

    /// Removes this process's own containers. Says whether none is left.
    pub async fn remove_all(&self, docker: &Docker) -> bool {
        let own = containers(docker, &format!("{OWNER}={}", self.path.display())).await;
        let mut none_left = own.is_some();
        for (id, _) in own.unwrap_or_default() {
            none_left &= remove(docker, &id).await;
        }
        none_left
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The containers with a label, running or not, and the lock file that each one bears. `None`: Docker does not say.
async fn containers(docker: &Docker, label: &str) -> Option<Vec<(String, PathBuf)>> {
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let all = timeout(LIMIT, docker.list_containers(Some(options))).await.ok()?.ok()?;
    let pair = |labels: Option<HashMap<String, String>>, id| Some((id?, labels?.remove(OWNER)?.into()));
    Some(all.into_iter().filter_map(|container| pair(container.labels, container.id)).collect())
}

/// Says whether the container is gone.
async fn remove(docker: &Docker, id: &str) -> bool {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match timeout(LIMIT, docker.remove_container(id, Some(options))).await {
        Ok(Ok(())) => true,
        // 404: it is gone already. 409: somebody else, or the engine itself, removes it right now.
        Ok(Err(errors::Error::DockerResponseServerError { status_code, .. })) => status_code == 404,
        _ => false,
    }
}

/// Whether nobody holds this lock. A file that is gone had been held by nobody when it went.
fn is_dead(lock: &Path) -> bool {
    match File::open(lock) {
        Ok(file) => file.try_lock().is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// This machine, as far as locks reach: an engine may serve several machines, and containers that each have a
/// folder for temporary files of their own.
fn host() -> String {
    let name = Command::new("uname").arg("-n").output().map(|output| output.stdout).unwrap_or_default();
    let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let files = fs::read_link("/proc/self/ns/mnt").unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    [text(&name), text(&boot), files.display().to_string()].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_dead_when_its_lock_can_be_taken() {
        let owner = Owner::new().unwrap();
        let path = owner.path.clone();
        assert!(!is_dead(&path), "this process lives");
        let kept = owner._lock.try_clone().unwrap();
        drop(owner);
        assert!(is_dead(&path), "the file is gone");
        drop(kept);
        fs::write(&path, "").unwrap();
        assert!(is_dead(&path), "nobody holds it");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_machine_is_one_and_the_same() {
        assert_eq!(host(), host());
        assert!(host().len() > 2, "{}", host());
    }
}
