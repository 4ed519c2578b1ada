use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Clock;
use crate::testkit::ManualClock;

/// What happened in a run, line by line; its hash tells two runs apart.
#[derive(Debug, Clone)]
pub struct Trace {
    clock: Arc<ManualClock>,
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug, Default)]
struct Lines {
    text: Vec<String>,
    hash: u64,
}

impl Trace {
    /// An empty trace that notes the times of `clock`.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>) -> Self {
        let lines = Arc::default();
        Self { clock, lines }
    }

    /// Adds a line.
    pub fn note(&self, line: &str) {
        let micros = self.clock.now().since(ManualClock::START).as_micros();
        let line = format!("{micros:>9} {line}");
        let mut lines = self.lines();
        lines.hash = hash(lines.hash, line.as_bytes());
        lines.text.push(line);
    }

    /// Adds what only the hash is to see.
    pub(super) fn count(&self, number: u64) {
        let mut lines = self.lines();
        lines.hash = hash(lines.hash, &number.to_be_bytes());
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.lines().hash
    }

    /// The lines so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().text.join("\n")
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// FNV-1a.
fn hash(start: u64, bytes: &[u8]) -> u64 {
    let seed = start ^ 0xCBF2_9CE4_8422_2325;
    bytes.iter().fold(seed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
