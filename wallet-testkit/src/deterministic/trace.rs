use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ManualClock;
use wallet_core::runtime::Clock;

/// The trace of a run: text lines for readers if requested, and always a hash that
/// identifies the run. It covers every step of a task, the time of every line, and
/// every committed effect.
#[derive(Debug, Clone)]
pub struct Trace {
    clock: Arc<ManualClock>,
    keeps_lines: bool,
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug, Default)]
struct Lines {
    text: String,
    hash: Hash,
}

impl Trace {
    /// An empty trace with the times of `clock`. It stores its lines if
    /// `keeps_lines`; the hash is the same.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>, keeps_lines: bool) -> Self {
        let lines = Arc::default();
        Self {
            clock,
            keeps_lines,
            lines,
        }
    }

    /// Adds a line.
    pub fn note(&self, line: fmt::Arguments<'_>) {
        let micros = self.clock.now().since(ManualClock::START).as_micros();
        let mut lines = self.lines();
        lines.hash.number(u64::try_from(micros).unwrap_or(u64::MAX));
        if self.keeps_lines {
            // Writing to a text never fails.
            let _ = writeln!(lines.text, "{micros:>9} {line}");
        }
    }

    /// Adds a number to the hash only.
    pub fn count(&self, number: u64) {
        self.lines().hash.number(number);
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.lines().hash.0
    }

    /// The lines so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().text.clone()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// FNV-1a of numbers.
#[derive(Debug)]
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hash {
    const fn number(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x0100_0000_01B3);
        // The product alone never carries to lower bits.
        self.0 = mixed ^ (mixed >> 29);
    }
}
