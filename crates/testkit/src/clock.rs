//! Time that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use convenant_model::{Clock, Date, Timestamp};

/// A clock that a test sets.
#[derive(Debug)]
pub struct TestClock {
    start: Timestamp,
    passed: AtomicI64,
}

impl TestClock {
    /// A clock that stands at an instant.
    #[must_use]
    pub const fn at(start: Timestamp) -> Self {
        Self { start, passed: AtomicI64::new(0) }
    }

    /// A clock that stands at ten in the morning (UTC) of a day.
    #[must_use]
    pub fn on(day: Date) -> Self {
        Self::at(day.start().plus_seconds(10 * 3600))
    }

    /// Moves on, or back where `seconds` is negative.
    pub fn advance(&self, seconds: i64) {
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.start.plus_seconds(self.passed.load(Ordering::SeqCst))
    }
}
