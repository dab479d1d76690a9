//! The watchdog's clients and settings.

use jiff::Timestamp;
use stafett_history::History;
use stafett_relay::Handover;
use stafett_runtime::Process;

/// The clients and settings of this process, built once.
pub(crate) struct Watchdog {
    pub(crate) process: Process,
    pub(crate) history: History,
    pub(crate) handover: Handover,
}

impl Watchdog {
    pub(crate) fn new(process: Process) -> Self {
        let history = History::of(&process);
        Self { handover: Handover::new(&process, history.clone()), history, process }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.process.clock.now()
    }
}
