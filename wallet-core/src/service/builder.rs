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

/// Builds a [`Wallet`]: components are set here, data in [`Settings`].
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

/// A store, alone or shared: every [`LedgerStore`], and every [`Arc`] of one.
pub trait IntoStore {
    /// The store, shared.
    fn into_store(self) -> Arc<dyn LedgerStore>;
}

impl<S: LedgerStore> IntoStore for S {
    fn into_store(self) -> Arc<dyn LedgerStore> {
        Arc::new(self)
    }
}

impl<S: LedgerStore> IntoStore for Arc<S> {
    fn into_store(self) -> Arc<dyn LedgerStore> {
        self
    }
}

impl IntoStore for Arc<dyn LedgerStore> {
    fn into_store(self) -> Arc<dyn LedgerStore> {
        self
    }
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

    /// The clock for backoff pauses. With the feature `tokio`, the default is the
    /// machine's clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The id generator; [`Uuid7`] by default.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.ids = ids;
        self
    }

    /// The signal that is notified of every commit. A relay that watches it need
    /// not poll.
    #[must_use]
    pub fn signal(mut self, signal: CommitSignal) -> Self {
        self.signal = signal;
        self
    }

    /// The balance cache for [`Wallet::balances`]. It is updated after every
    /// commit, and after every cache miss. No decision uses it, and no request
    /// fails because the cache fails.
    ///
    /// Cache misses are read with [`LedgerStore::accounts`]. By default every store
    /// of this workspace answers it with the latest commit.
    #[must_use]
    pub fn cache(mut self, cache: Arc<dyn BalanceCache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The history store that [`Wallet::statement`] and [`Wallet::balance_at`]
    /// query first. The ledger answers, with the same result, when history proves
    /// nothing. That is the case when history is behind, its rows have expired, it
    /// fails, or it takes longer than [`Settings::history_wait`].
    ///
    /// Another program fills history: a projector or a backfill.
    #[must_use]
    pub fn history(mut self, history: Arc<dyn HistoryStore>) -> Self {
        self.history = Some(history);
        self
    }

    /// A lock service for the sweep. Of all processes that use it, one at a time
    /// sweeps expired holds, which saves work for the others. Where the lock
    /// service fails, all of them sweep, and no hold expires twice.
    #[must_use]
    pub fn sweep_lock(mut self, locks: Arc<dyn LockManager>, owner: LockOwner) -> Self {
        self.sweep_turn = sweep::turn(locks, owner);
        self
    }

    /// The settings of the service.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Builds the service, and the driver that the host must poll.
    ///
    /// # Errors
    /// [`BuildError`] for a missing component or an invalid setting.
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

    /// Builds the service and runs its driver as a task of the current tokio
    /// runtime.
    ///
    /// # Errors
    /// The same as [`build`](Self::build).
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    #[cfg(feature = "tokio")]
    pub fn spawn(self) -> Result<Wallet, BuildError> {
        let (wallet, driver) = self.build()?;
        tokio::spawn(driver);
        Ok(wallet)
    }
}

/// The reason why a service cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No clock was given, and the feature `tokio` is off.
    #[error("a clock is needed")]
    NoClock,
    /// A setting that must be at least one is zero.
    #[error("the setting {0} must be at least 1")]
    Zero(&'static str),
    /// A setting is above its maximum.
    #[error("the setting {name} must be at most {max}")]
    TooLarge {
        /// The setting.
        name: &'static str,
        /// The greatest value.
        max: usize,
    },
}
