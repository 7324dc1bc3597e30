// A dependency that answers its probes as the test says, and writes down when it was asked.

use crate::support::in_words;
use lab_01_health_check::Probe;
use std::{
    fmt::{self, Display, Formatter},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use testkit::Trial;
use tokio::time::{Instant, sleep};

/// What one probe of a [`Fake`] does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    Up,
    Down,
    Hangs,
    UpAfter(Duration),
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.write_str("succeeds"),
            Self::Down => f.write_str("fails"),
            Self::Hangs => f.write_str("hangs"),
            Self::UpAfter(time) => write!(f, "succeeds after {}", in_words(*time)),
        }
    }
}

/// A dependency whose answers are known beforehand.
pub struct Fake {
    trial: Trial,
    name: &'static str,
    began: Instant,
    /// The answer to the probe that starts at this time.
    answer: Box<dyn Fn(Duration) -> Answer + Send + Sync>,
    starts: Mutex<Vec<Duration>>,
    running: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// Far more probes than any test asks for. Those of a loop without a pause hang from there on, so that its test
/// comes to an end.
const RUNAWAY: usize = 500;

impl Fake {
    pub fn new(
        trial: &Trial,
        name: &'static str,
        answer: impl Fn(Duration) -> Answer + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            trial: trial.clone(),
            name,
            began: Instant::now(),
            answer: Box::new(answer),
            starts: Mutex::default(),
            running: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        })
    }

    /// When its probes started, from the beginning.
    pub fn starts(&self) -> Vec<Duration> {
        self.starts.lock().expect("no panic under this lock").clone()
    }

    /// How many of its probes run now.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// The most of its probes that ever ran at the same time.
    pub fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }

    /// When the probes started, for a reader.
    pub fn told_starts(&self) -> String {
        let starts: Vec<_> = self.starts().iter().take(8).map(|at| in_words(*at)).collect();
        if starts.is_empty() {
            return format!("no probe of the {}", self.name);
        }
        format!("{} probes of the {}: at {} …", self.starts().len(), self.name, starts.join(", "))
    }
}

/// Counts a probe as running until it ends or is dropped.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tonic::async_trait]
impl Probe for Fake {
    async fn probe(&self) -> bool {
        let at = self.began.elapsed();
        let count = {
            let mut starts = self.starts.lock().expect("no panic under this lock");
            starts.push(at);
            starts.len()
        };
        let answer = if count > RUNAWAY { Answer::Hangs } else { (self.answer)(at) };
        self.trial.did(format!("probe {count} of the {}: {answer}", self.name));

        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let _running = Running(&self.running);
        match answer {
            Answer::Up => true,
            Answer::Down => false,
            Answer::Hangs => std::future::pending().await,
            Answer::UpAfter(time) => {
                sleep(time).await;
                true
            }
        }
    }
}
