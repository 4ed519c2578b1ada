use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use thiserror::Error;
use tokio::sync::watch;

use super::ahead::Ahead;
use super::balances::Cached;
use super::fate::Fate;
use super::present::PresentEpoch;
use super::quarantine::Quarantine;
use super::queue::Queue;
use super::{Driver, Settings, Shared, Stats, Wallet, sweep};
use crate::cache::BalanceCache;
use crate::history::HistoryStore;
use crate::ledger::LockOwner;
use crate::locks::LeaderHint;
use crate::locks::LockManager;
use crate::runtime::{Clock, IdGenerator, Uuid7};
use crate::store::{CommitSignal, LedgerStore};

/// Puts a [`Wallet`] together: components here, data in [`Settings`].
#[derive(Debug)]
pub struct WalletBuilder {
    store: Arc<dyn LedgerStore>,
    clock: Option<Arc<dyn Clock>>,
    ids: Arc<dyn IdGenerator>,
    settings: Settings,
    signal: CommitSignal,
    cache: Option<Arc<dyn BalanceCache>>,
    history: Option<Arc<dyn HistoryStore>>,
    sweep_turn: Option<LeaderHint>,
}

impl WalletBuilder {
    pub(super) fn new(store: Arc<dyn LedgerStore>) -> Self {
        Self {
            store,
            #[cfg(feature = "tokio")]
            clock: Some(Arc::new(crate::runtime::SystemClock)),
            #[cfg(not(feature = "tokio"))]
            clock: None,
            ids: Arc::new(Uuid7),
            settings: Settings::default(),
            signal: CommitSignal::default(),
            cache: None,
            history: None,
            sweep_turn: None,
        }
    }

    /// What pauses are measured with; the machine's clock with feature `tokio`.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// What makes ids; [`Uuid7`] by default.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.ids = ids;
        self
    }

    /// Who is told of every commit: a relay, which then need not look.
    #[must_use]
    pub fn signal(mut self, signal: CommitSignal) -> Self {
        self.signal = signal;
        self
    }

    /// Where balances are kept for [`Wallet::balances`]: written after every
    /// commit, and after every read that it could not answer. It is never asked
    /// whether money may move, and nothing fails because it does.
    ///
    /// What it does not have is read with [`LedgerStore::accounts`], which every
    /// store here answers with the latest commit unless it is asked otherwise.
    #[must_use]
    pub fn cache(mut self, cache: Arc<dyn BalanceCache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Where [`Wallet::statement`] and [`Wallet::balance_at`] look first. What it
    /// does not prove, because it is behind, has let rows go, fails or takes longer
    /// than [`Settings::history_wait`], the ledger answers, with the same result.
    ///
    /// Somebody else brings it up: a projector, a backfill.
    #[must_use]
    pub fn history(mut self, history: Arc<dyn HistoryStore>) -> Self {
        self.history = Some(history);
        self
    }

    /// Lets one process at a time sweep expired holds, of all that name this
    /// lock service: it saves the others the work. Where the service fails, all
    /// of them sweep, and no hold expires twice.
    #[must_use]
    pub fn sweep_lock(mut self, locks: Arc<dyn LockManager>, owner: LockOwner) -> Self {
        self.sweep_turn = sweep::turn(locks, owner);
        self
    }

    /// How it works.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The service, and the driver that the host must poll.
    ///
    /// # Errors
    /// [`BuildError`] for a component that is missing or a setting that makes no
    /// sense.
    pub fn build(self) -> Result<(Wallet, Driver), BuildError> {
        let clock = self.clock.ok_or(BuildError::NoClock)?;
        self.settings.validate()?;
        let shared = Arc::new(Shared {
            store: self.store,
            clock,
            ids: self.ids,
            settings: self.settings,
            signal: self.signal,
            cached: self.cache.map(Cached::new),
            present: PresentEpoch::default(),
            history: self.history,
            sweep_turn: self.sweep_turn,
            quarantine: Quarantine::default(),
            queue: Queue::new(),
            stats: Stats::default(),
            fate: Fate::default(),
            ahead: Ahead::default(),
            calls: AtomicU64::default(),
        });
        let (has_ended, end) = watch::channel(false);
        let driver = Driver::new(Arc::clone(&shared), has_ended);
        Ok((Wallet::new(shared, end), driver))
    }

    /// The service, its driver running as a task of the current tokio runtime.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[cfg(feature = "tokio")]
    pub fn spawn(self) -> Result<Wallet, BuildError> {
        let (wallet, driver) = self.build()?;
        tokio::spawn(driver);
        Ok(wallet)
    }
}

/// Why a service cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No clock was given, and the feature `tokio` is off.
    #[error("a clock is needed")]
    NoClock,
    /// A setting that must be at least one is zero.
    #[error("the setting {0} must be at least 1")]
    Zero(&'static str),
}
