//! The warm broker that `cargo xtask broker up` leaves: `.labs/broker.json`.

use crate::course::Course;
use serde::Deserialize;
use std::{
    fs::{self, File},
    path::PathBuf,
};

/// A broker that waits for checks, as its program describes it.
#[derive(Debug, Deserialize)]
pub struct Warm {
    pub bootstrap: String,
    pub image: Option<String>,
    /// The program's process, and the file whose lock it holds as long as it lives.
    pub pid: i32,
    lock: PathBuf,
}

/// The file that tells of it.
pub fn file(course: &Course) -> PathBuf {
    course.state_dir().join("broker.json")
}

/// The warm broker, if its program lives.
pub fn find(course: &Course) -> Option<Warm> {
    let warm: Warm = serde_json::from_slice(&fs::read(file(course)).ok()?).ok()?;
    warm.is_alive().then_some(warm)
}

impl Warm {
    /// A process number may have gone to another process by now. The lock cannot.
    pub fn is_alive(&self) -> bool {
        File::open(&self.lock).is_ok_and(|lock| lock.try_lock().is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_a_killed_program_left_tells_of_none() {
        let dir = tempfile::tempdir().unwrap();
        let course = Course { root: dir.path().into(), labs: Vec::new() };
        assert!(find(&course).is_none(), "no file");
        let lock = dir.path().join("lock");
        fs::create_dir(course.state_dir()).unwrap();
        let text = serde_json::json!({"bootstrap": "a:1", "pid": 7, "lock": lock, "container": "c"});
        fs::write(file(&course), text.to_string()).unwrap();
        assert!(find(&course).is_none(), "no lock");
        let held = File::create(lock).unwrap();
        assert!(find(&course).is_none(), "nobody holds the lock");
        held.lock().unwrap();
        assert_eq!(find(&course).unwrap().bootstrap, "a:1");
        fs::write(file(&course), "{").unwrap();
        assert!(find(&course).is_none(), "half a file");
    }
}
