//! When to end: the one who started this has gone, or a signal says so.

use std::{
    io::{self, Read as _},
    thread,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Turns true once and stays so.
#[derive(Clone, Debug)]
pub struct Ending {
    told: watch::Receiver<bool>,
    starter: watch::Receiver<bool>,
}

impl Ending {
    /// Begins to listen.
    pub fn listen() -> io::Result<Self> {
        let (tell, told) = watch::channel(false);
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let (mut signals, tell) = (signal(kind)?, tell.clone());
            tokio::spawn(async move {
                signals.recv().await;
                tell.send_replace(true);
            });
        }
        let (tell, starter) = watch::channel(false);
        // A thread of its own: a read that never returns must not keep the runtime from ending.
        thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            let mut nothing = [0; 64];
            while matches!(stdin.read(&mut nothing), Ok(1..)) {}
            tell.send_replace(true);
        });
        Ok(Self { told, starter })
    }

    /// Ready when a signal came.
    pub async fn by_signal(mut self) {
        let _ = self.told.wait_for(|told| *told).await;
    }

    /// Ready when a signal came or the starter has gone.
    pub async fn by_anything(mut self) {
        tokio::select! {
            _ = self.told.wait_for(|told| *told) => {}
            _ = self.starter.wait_for(|gone| *gone) => {}
        }
    }
}
