use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Clock;
use crate::testkit::ManualClock;

/// What happened in a run, line by line; its hash tells two runs apart. The
/// lines themselves are kept only where somebody is to read them.
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
    /// An empty trace that notes the times of `clock`, and keeps its lines if
    /// `keeps_lines`: the hash is the same.
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
        let Lines { text, hash } = &mut *lines;
        hash.number(u64::try_from(micros).unwrap_or(u64::MAX));
        // Neither a hash nor a text refuses to be written to.
        let _ = hash.write_fmt(line);
        if self.keeps_lines {
            let _ = writeln!(text, "{micros:>9} {line}");
        }
    }

    /// Adds what only the hash is to see.
    pub(super) fn count(&self, number: u64) {
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

/// FNV-1a, eight bytes at a time.
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
        // The product alone never carries downwards.
        self.0 = mixed ^ (mixed >> 29);
    }
}

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for bytes in text.as_bytes().chunks(8) {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            self.number(u64::from_be_bytes(eight));
        }
        Ok(())
    }
}
