//! How a function process is killed, and how others learn that it is gone.

use tokio::sync::{mpsc, watch};

/// Ends a process. Clones end the same one.
#[derive(Debug, Clone)]
pub struct KillSwitch {
    ask: mpsc::Sender<()>,
    /// How the process ended, once it has.
    exit: watch::Receiver<Option<String>>,
}

impl KillSwitch {
    /// A switch, with what its process waits on to be killed and reports its end through.
    pub(crate) fn new() -> (Self, mpsc::Receiver<()>, watch::Sender<Option<String>>) {
        let (ask, asked) = mpsc::channel(1);
        let (exited, exit) = watch::channel(None);
        (Self { ask, exit }, asked, exited)
    }

    /// Whether the process still runs.
    pub(crate) fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(&self) {
        // Full means that it has been asked for, closed that it is gone.
        let _ = self.ask.try_send(());
        self.exited().await;
    }

    /// Of a process that has ended long ago.
    #[cfg(test)]
    pub(crate) fn of_nothing() -> Self {
        let (ask, exit) = (mpsc::channel(1).0, watch::channel(Some("ended".to_owned())).1);
        Self { ask, exit }
    }

    /// Waits until the process is gone; says how it ended.
    pub(crate) async fn exited(&self) -> String {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| exit.clone()).unwrap_or_else(|| "unknown".to_owned())
    }
}
