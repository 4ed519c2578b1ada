use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use wallet_core::store::StoreErrorKind;

use super::{Fault, FaultPlan, Port, Rng};

/// Random faults in up to a third of all commits and in a few of all other calls,
/// with storms of conflicts and short outages, until [`calm`](Self::calm). Most
/// other commits are delayed, before and after that.
///
/// The kinds and the rate of faults differ from seed to seed. Some runs have no
/// faults at some port, so that one kind of fault does not always hide another.
#[derive(Debug)]
pub struct SeededFaults {
    rng: Rng,
    is_calm: AtomicBool,
    /// The rate of commits that draw a fault or a delay, per 1,000.
    commits: u64,
    /// The fault rate of each port, per 1,000 calls.
    calls: [u64; 6],
    /// The faults that are left out, by number.
    left_out: BTreeSet<u64>,
    count: AtomicU64,
    /// The number of next commits with the same fault.
    spell: AtomicU64,
    spell_kind: Mutex<StoreErrorKind>,
}

impl SeededFaults {
    /// The faults of this random number generator.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        let commits = rng.pick(&[300, 600, 900]);
        let calls = [(); 6].map(|()| rng.pick(&[0, 20, 60, 120]));
        Self {
            rng,
            is_calm: AtomicBool::new(false),
            commits,
            calls,
            left_out: BTreeSet::new(),
            count: AtomicU64::new(0),
            spell: AtomicU64::new(0),
            spell_kind: Mutex::new(StoreErrorKind::Conflict),
        }
    }

    /// The same plan without the faults with these numbers. Fault numbers start
    /// at 0.
    #[must_use]
    pub fn without(mut self, left_out: BTreeSet<u64>) -> Self {
        self.left_out = left_out;
        self
    }

    /// Ends all faults.
    pub fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    /// The number of faults. Usual delays do not count.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Counts a fault. Returns whether it is injected.
    fn happens(&self) -> bool {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        !self.left_out.contains(&number)
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

    fn of_commit(&self) -> Option<Fault> {
        let left = self.spell.load(Ordering::Relaxed);
        if left > 0 {
            self.spell.store(left - 1, Ordering::Relaxed);
            let kind = self
                .spell_kind
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            return Some(Fault::Refuse(*kind));
        }
        if !self.rng.chance(self.commits) {
            return None;
        }
        Some(match self.rng.below(100) {
            0..4 => Fault::Refuse(StoreErrorKind::Unavailable),
            4..8 => Fault::Refuse(StoreErrorKind::Conflict),
            8..14 => Fault::LoseAnswer,
            14..19 => Fault::CommitLater(self.rng.delay(400)),
            19..22 => Fault::ArriveLater(self.rng.delay(400)),
            22..25 => Fault::Abandon,
            25..31 => Fault::Delay(self.rng.delay(200)),
            31..37 => Fault::DelayAnswer(self.rng.delay(200)),
            37 => self.begin_spell(StoreErrorKind::Conflict),
            38 => self.begin_spell(StoreErrorKind::Unavailable),
            _ => return None,
        })
    }
}

impl FaultPlan for SeededFaults {
    fn on_commit(&self) -> Fault {
        if !self.is_calm.load(Ordering::Relaxed)
            && let Some(fault) = self.of_commit()
            && self.happens()
        {
            return fault;
        }
        self.latency()
    }

    fn on_read(&self) -> Fault {
        if self.is_calm.load(Ordering::Relaxed) {
            return Fault::None;
        }
        let fault = match self.rng.below(100) {
            0..5 => Fault::Refuse(StoreErrorKind::Unavailable),
            5..10 => Fault::Delay(self.rng.delay(50)),
            10..15 => Fault::DelayAnswer(self.rng.delay(50)),
            _ => return Fault::None,
        };
        if self.happens() { fault } else { Fault::None }
    }

    fn on_call(&self, port: Port) -> Fault {
        let per_mille = match port {
            Port::Outbox => self.calls[0],
            Port::Publisher => self.calls[1],
            Port::Queue => self.calls[2],
            Port::Cache => self.calls[3],
            Port::History => self.calls[4],
            Port::Inbox => self.calls[5],
        };
        if self.is_calm.load(Ordering::Relaxed) || !self.rng.chance(per_mille) {
            return Fault::None;
        }
        let fault = match self.rng.below(8) {
            0 | 1 => Fault::Refuse(StoreErrorKind::Unavailable),
            2..5 => Fault::LoseAnswer,
            5 => Fault::Delay(self.rng.delay(200)),
            6 => Fault::DelayAnswer(self.rng.delay(200)),
            // This is longer than leases and visibility timeouts.
            _ => Fault::DelayAnswer(self.rng.delay(3_000)),
        };
        if self.happens() { fault } else { Fault::None }
    }

    fn skips_kept(&self) -> bool {
        self.rng.chance(500)
    }
}
