use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ahead::Ahead;
use super::balances::Cached;
use super::fate::Fate;
use super::present::PresentEpoch;
use super::quarantine::Quarantine;
use super::queue::Queue;
use super::{Settings, Stats};
use crate::history::HistoryStore;
use crate::locks::LeaderHint;
use crate::request::Call;
use crate::runtime::{Clock, IdGenerator};
use crate::store::{CommitSignal, LedgerStore};

/// The state that the service and its driver share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Arc<dyn LedgerStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
    pub(super) settings: Settings,
    pub(super) signal: CommitSignal,
    pub(super) cached: Option<Cached>,
    pub(super) present: PresentEpoch,
    pub(super) history: Option<Arc<dyn HistoryStore>>,
    pub(super) sweep_turn: Option<LeaderHint>,
    pub(super) quarantine: Quarantine,
    pub(super) queue: Queue,
    pub(super) stats: Stats,
    pub(super) fate: Fate,
    pub(super) ahead: Ahead,
    /// The number of multi-request calls so far.
    pub(super) calls: AtomicU64,
}

impl Shared {
    /// The number of the next multi-request call.
    pub(super) fn next_call(&self) -> Call {
        Call(self.calls.fetch_add(1, Ordering::Relaxed))
    }

    /// The current bound on how far accounts' times may be ahead of the store's
    /// clock.
    pub(super) fn max_ahead(&self) -> Duration {
        self.ahead.bound(self.settings.max_ahead, self.clock.now())
    }
}
