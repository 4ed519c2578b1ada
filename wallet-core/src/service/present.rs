//! The epoch that a process knows the database to be in.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::shared::Shared;
use crate::ledger::{Epoch, Epochs, Restore, Timestamp};

/// How long it is taken for the present one without asking.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// What commits and reads have told, and when it was asked for last. What is known
/// only rises.
#[derive(Debug)]
pub(super) struct PresentEpoch {
    number: AtomicU64,
    /// Microseconds; the least number before the first time.
    asked_at: AtomicI64,
    /// All that the database went through, by the last answer.
    restores: Mutex<Option<Arc<[Restore]>>>,
}

impl Default for PresentEpoch {
    fn default() -> Self {
        Self {
            number: AtomicU64::new(Epoch::FIRST.number()),
            asked_at: AtomicI64::new(i64::MIN),
            restores: Mutex::default(),
        }
    }
}

impl PresentEpoch {
    /// What is known.
    pub(super) fn known(&self) -> Epoch {
        Epoch::new(self.number.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Takes note of an epoch that the database was in.
    pub(super) fn learn(&self, epoch: Epoch) {
        self.number.fetch_max(epoch.number(), Ordering::Relaxed);
    }

    /// Takes note of what the database said.
    fn told(&self, epochs: &Epochs) {
        self.learn(epochs.current());
        let restores = epochs.all_restores().into();
        let mut known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(restores);
    }

    /// The restores of the epoch that is known; none where they are not.
    fn restores(&self) -> Option<Arc<[Restore]>> {
        let known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        let restores = known.clone();
        restores.filter(|restores| Restore::current(restores) >= self.known())
    }

    /// Whether the caller is to ask: everybody before the first answer, then one
    /// caller now and then.
    fn is_due(&self, now: Timestamp) -> bool {
        let asked_at = self.asked_at.load(Ordering::Relaxed);
        if asked_at == i64::MIN {
            return true;
        }
        let asked = Timestamp::from_micros(asked_at);
        // A clock that stepped back makes it due, too.
        let is_recent = now >= asked && now.since(asked) < ASK_EVERY;
        !is_recent && self.mark(asked_at, now)
    }

    fn mark(&self, from: i64, now: Timestamp) -> bool {
        let (at, order) = (&self.asked_at, Ordering::Relaxed);
        at.compare_exchange(from, now.as_micros(), order, order)
            .is_ok()
    }
}

impl Shared {
    /// The epoch that the database is in as far as this process knows, which is
    /// asked for now and then. While the store does not answer, what is known
    /// counts.
    pub(super) async fn present_epoch(&self) -> Epoch {
        let now = self.clock.now();
        if self.present.is_due(now)
            && let Ok(epochs) = self.store.epochs().await
        {
            self.present.told(&epochs);
            self.present.mark(i64::MIN, now);
        }
        self.present.known()
    }

    /// The restores that the database went through, as far as this process knows;
    /// none where the store does not answer.
    pub(super) async fn present_restores(&self) -> Option<Arc<[Restore]>> {
        self.present_epoch().await;
        if let Some(restores) = self.present.restores() {
            return Some(restores);
        }
        // A commit or a read was of a later epoch than the last answer.
        let epochs = self.store.epochs().await.ok()?;
        self.present.told(&epochs);
        self.present.restores()
    }
}
