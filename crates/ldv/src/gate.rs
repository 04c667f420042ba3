//! Whether answers may go on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use convenant_model::{Clock, Timestamp};
use thiserror::Error;

/// Tells whether an answer about people may begin.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Seconds that a line may wait; `None` where the log is not mandatory.
    most: Option<i64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the log acknowledged everything that was there at the start.
    reached: bool,
    /// The end of the answer whose lines have waited longest.
    since: Option<Timestamp>,
}

/// Why no answer about people may begin.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Closed {
    /// The log has not acknowledged what was there when the node started, if only that it is there.
    #[error("the log of processing, which is mandatory, has not acknowledged since the start")]
    NotReached,
    /// Lines wait for too long.
    #[error("lines wait for {0} seconds for the log of processing, which is mandatory")]
    Behind(i64),
}

impl Gate {
    pub(crate) fn new(most: Option<i64>) -> Self {
        Self(Arc::new(Shared { most, state: Mutex::default() }))
    }

    /// Whether an answer about people may begin now.
    ///
    /// # Errors
    /// When the log is mandatory and does not acknowledge.
    pub fn check(&self, clock: &dyn Clock) -> Result<(), Closed> {
        let Some(most) = self.0.most else {
            return Ok(());
        };
        let state = self.state();
        if !state.reached {
            return Err(Closed::NotReached);
        }
        let waits = state.since.map_or(0, |since| clock.now().seconds_since(since));
        if waits > most { Err(Closed::Behind(waits)) } else { Ok(()) }
    }

    pub(crate) fn is_mandatory(&self) -> bool {
        self.0.most.is_some()
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.state().reached
    }

    /// Lines of an answer that ended then are about to be sent, and wait until told otherwise.
    pub(crate) fn waits_since(&self, end: Timestamp) {
        self.state().since = Some(end);
    }

    /// Something is wrong from now on, if it was not already.
    pub(crate) fn waits_at_least_since(&self, now: Timestamp) {
        self.state().since.get_or_insert(now);
    }

    /// Every line of an answer that ended is acknowledged.
    pub(crate) fn caught_up(&self) {
        *self.state() = State { reached: true, since: None };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
