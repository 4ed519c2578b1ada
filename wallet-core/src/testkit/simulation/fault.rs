use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::StoreErrorKind;

use super::Rng;

/// What goes wrong with one call of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It fails before it has any effect.
    Refuse(StoreErrorKind),
    /// It takes effect this much later, then answers.
    Delay(Duration),
    /// It takes effect; the answer comes this much later.
    DelayAnswer(Duration),
    /// It takes effect, and the answer is lost: `Indeterminate`.
    LoseAnswer,
    /// `Indeterminate` at once, while the commit is still under way: it takes
    /// effect this much later, and keeps its locks until then.
    CommitLater(Duration),
    /// `Indeterminate`, and the commit never takes effect.
    Abandon,
}

/// Decides what goes wrong.
pub trait FaultPlan: Debug + Send + Sync + 'static {
    /// With the next commit.
    fn on_commit(&self) -> Fault;

    /// With the next reading call; only `Refuse`, `Delay` and `DelayAnswer`
    /// have a meaning there.
    fn on_read(&self) -> Fault;

    /// Whether a commit that meets what another one keeps goes on with the
    /// requests that do not need it, instead of failing as a whole.
    fn skips_kept(&self) -> bool;
}

/// Faults in the order in which they were written down, then none: for tests
/// of a single situation. Reads never fail.
#[derive(Debug, Default)]
pub struct ScriptedFaults(Mutex<VecDeque<Fault>>);

impl ScriptedFaults {
    /// These faults, one a commit.
    #[must_use]
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self(Mutex::new(faults.into_iter().collect()))
    }
}

impl FaultPlan for ScriptedFaults {
    fn on_commit(&self) -> Fault {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.pop_front().unwrap_or(Fault::None)
    }

    fn on_read(&self) -> Fault {
        Fault::None
    }

    fn skips_kept(&self) -> bool {
        false
    }
}

/// Random faults in about a third of all commits, with storms of conflicts and
/// short outages, until [`calm`](Self::calm). Most other commits take a while,
/// before and after that.
#[derive(Debug)]
pub struct SeededFaults {
    rng: Rng,
    is_calm: AtomicBool,
    /// How many of the next commits meet the same trouble.
    spell: AtomicU64,
    spell_kind: Mutex<StoreErrorKind>,
}

impl SeededFaults {
    /// The faults of this stream of numbers.
    #[must_use]
    pub const fn new(rng: Rng) -> Self {
        Self {
            rng,
            is_calm: AtomicBool::new(false),
            spell: AtomicU64::new(0),
            spell_kind: Mutex::new(StoreErrorKind::Conflict),
        }
    }

    /// From here on nothing goes wrong.
    pub fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    fn latency(&self) -> Fault {
        match self.rng.below(4) {
            0 => Fault::None,
            1 => Fault::DelayAnswer(self.rng.delay(30)),
            _ => Fault::Delay(self.rng.delay(30)),
        }
    }

    fn begin_spell(&self, kind: StoreErrorKind) -> Fault {
        let length = 1 + self.rng.below(8);
        self.spell.store(length, Ordering::Relaxed);
        *self
            .spell_kind
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = kind;
        Fault::Refuse(kind)
    }
}

impl FaultPlan for SeededFaults {
    fn on_commit(&self) -> Fault {
        if self.is_calm.load(Ordering::Relaxed) {
            return self.latency();
        }
        let left = self.spell.load(Ordering::Relaxed);
        if left > 0 {
            self.spell.store(left - 1, Ordering::Relaxed);
            let kind = self
                .spell_kind
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            return Fault::Refuse(*kind);
        }
        match self.rng.below(100) {
            0..4 => Fault::Refuse(StoreErrorKind::Unavailable),
            4..8 => Fault::Refuse(StoreErrorKind::Conflict),
            8..14 => Fault::LoseAnswer,
            14..22 => Fault::CommitLater(self.rng.delay(400)),
            22..25 => Fault::Abandon,
            25..31 => Fault::Delay(self.rng.delay(200)),
            31..37 => Fault::DelayAnswer(self.rng.delay(200)),
            37 => self.begin_spell(StoreErrorKind::Conflict),
            38 => self.begin_spell(StoreErrorKind::Unavailable),
            _ => self.latency(),
        }
    }

    fn on_read(&self) -> Fault {
        if self.is_calm.load(Ordering::Relaxed) {
            return Fault::None;
        }
        match self.rng.below(100) {
            0..5 => Fault::Refuse(StoreErrorKind::Unavailable),
            5..10 => Fault::Delay(self.rng.delay(50)),
            10..15 => Fault::DelayAnswer(self.rng.delay(50)),
            _ => Fault::None,
        }
    }

    fn skips_kept(&self) -> bool {
        self.rng.chance(500)
    }
}
