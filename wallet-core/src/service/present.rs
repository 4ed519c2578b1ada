//! The database's current epoch, as far as this process knows it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::shared::Shared;
use crate::ledger::{Epoch, Epochs, Restore, Timestamp};

/// The time for which a known epoch is used without a query.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// The epoch from commits and reads, and the time of the last query. The known
/// epoch only rises.
#[derive(Debug)]
pub(super) struct PresentEpoch {
    number: AtomicU64,
    /// Microseconds; the least number before the first query.
    asked_at: AtomicI64,
    /// All restores of the database, from the last query.
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
    /// The known epoch.
    pub(super) fn known(&self) -> Epoch {
        Epoch::new(self.number.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Records an epoch of the database.
    pub(super) fn learn(&self, epoch: Epoch) {
        self.number.fetch_max(epoch.number(), Ordering::Relaxed);
    }

    /// Records the answer of the database.
    fn record(&self, epochs: &Epochs) {
        self.learn(epochs.current());
        let restores = epochs.all_restores().into();
        let mut known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(restores);
    }

    /// The restores up to the known epoch; `None` where they are not known.
    fn restores(&self) -> Option<Arc<[Restore]>> {
        let known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        let restores = known.clone();
        restores.filter(|restores| Restore::current(restores) >= self.known())
    }

    /// Whether the caller must query: every caller before the first answer, then
    /// one caller per interval.
    fn is_due(&self, now: Timestamp) -> bool {
        let asked_at = self.asked_at.load(Ordering::Relaxed);
        if asked_at == i64::MIN {
            return true;
        }
        let asked = Timestamp::from_micros(asked_at);
        // After a clock that stepped back, a query is due too.
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
    /// The database's current epoch as far as this process knows, refreshed from
    /// time to time. While the store does not answer, the known epoch is used.
    pub(super) async fn present_epoch(&self) -> Epoch {
        let now = self.clock.now();
        if self.present.is_due(now)
            && let Ok(epochs) = self.store.epochs().await
        {
            self.present.record(&epochs);
            self.present.mark(i64::MIN, now);
        }
        self.present.known()
    }

    /// The restores of the database as far as this process knows; `None` where the
    /// store does not answer.
    pub(super) async fn present_restores(&self) -> Option<Arc<[Restore]>> {
        self.present_epoch().await;
        if let Some(restores) = self.present.restores() {
            return Some(restores);
        }
        // A commit or a read was of a later epoch than the last answer.
        let epochs = self.store.epochs().await.ok()?;
        self.present.record(&epochs);
        self.present.restores()
    }
}
