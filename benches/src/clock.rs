//! The only module that reads the clock.

use std::time::{Duration, Instant};

/// The time now, for measuring how long something took.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures real time; nothing is decided by it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A time that is measured: everything that ends within it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    start: Instant,
    length: Duration,
}

impl Window {
    /// The window that begins now.
    pub(crate) fn open(length: Duration) -> Self {
        let start = now();
        Self { start, length }
    }

    pub(crate) fn length(&self) -> Duration {
        self.length
    }

    /// How far into the window `at` lies; `None` when it is over.
    pub(crate) fn offset(&self, at: Instant) -> Option<Duration> {
        let offset = at.saturating_duration_since(self.start);
        (offset < self.length).then_some(offset)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.offset(now()).is_some()
    }
}
