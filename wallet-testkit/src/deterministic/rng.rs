use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Random numbers that a seed reproduces (splitmix64). Clones draw from one stream.
#[derive(Debug, Clone)]
pub struct Rng(Arc<Mutex<u64>>);

impl Rng {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    /// A separate stream that depends on this one.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::new(self.next())
    }

    /// A random number from the full range.
    pub fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An index into a list of `len` items, at least 1.
    pub fn index(&self, len: usize) -> usize {
        let len = u64::try_from(len).unwrap();
        usize::try_from(self.below(len)).unwrap()
    }

    /// True in `per_mille` of 1,000 cases.
    pub fn chance(&self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of `items`, which must not be empty.
    pub fn pick<T: Copy>(&self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    /// A duration of at least a microsecond and less than `max_ms` milliseconds.
    pub fn delay(&self, max_ms: u64) -> Duration {
        Duration::from_micros(1 + self.below(max_ms * 1_000))
    }
}
