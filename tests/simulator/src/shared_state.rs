use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::state::State;

/// The state behind its lock. The lock is never held while waiting.
#[derive(Clone)]
pub(crate) struct SharedState(Arc<Mutex<State>>);

impl SharedState {
    pub(crate) fn new(state: State) -> SharedState {
        SharedState(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked in between must not hide what the judge found.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
