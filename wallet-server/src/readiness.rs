//! Whether the server can commit, as `/health/ready` tells.
//!
//! What the latest commit came to says it. Where that is too long ago, or where a caller
//! was told since that the store is not available, a probe does: a write of the store's
//! own. (A request that reads before it commits may fail in the read. That is no proof
//! that nothing can be committed, and what was known before is none that it can.) All who ask meanwhile wait for the same probe, and for
//! a while its answer is theirs too, so that asking often costs the store nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::watch;
use wallet_core::runtime::Clock;
use wallet_core::service::LastCommit;
use wallet_core::store::StoreErrorKind;
use wallet_core::{SystemClock, Timestamp, Wallet, WalletError};

use crate::log::Chain;

/// For how long a commit or a probe says whether the next commit can be made.
const FRESH: Duration = Duration::from_secs(5);
/// How long a probe may take.
const PROBE_MAX: Duration = Duration::from_secs(5);
/// How long one who asks waits for a probe.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of whether the wallet can commit.
#[derive(Debug, Clone)]
pub(crate) struct Readiness {
    wallet: Wallet,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    probed: watch::Sender<Option<LastCommit>>,
    is_probing: AtomicBool,
    /// Whether somebody was told that the store is not available since the last probe
    /// began.
    is_doubted: AtomicBool,
    probes: Counter,
    failures: Counter,
}

/// That it cannot commit, or that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CannotCommit;

impl Readiness {
    pub(crate) fn new(wallet: Wallet) -> Self {
        let (probed, _) = watch::channel(None);
        let inner = Inner {
            probed,
            is_probing: AtomicBool::new(false),
            is_doubted: AtomicBool::new(false),
            probes: Counter::default(),
            failures: Counter::default(),
        };
        Self {
            wallet,
            inner: Arc::new(inner),
        }
    }

    /// How many probes there were, and how many failed.
    pub(crate) fn counts(&self) -> (Counter, Counter) {
        (self.inner.probes.clone(), self.inner.failures.clone())
    }

    /// Whether the wallet could commit when that was last known.
    pub(crate) fn was_ready(&self) -> Option<bool> {
        self.latest().map(|latest| latest.failure.is_none())
    }

    /// Notes that somebody was told that the store is not available: a commit that was
    /// done before says no longer that the next one can be.
    pub(crate) fn doubt(&self) {
        self.inner.is_doubted.store(true, Ordering::Release);
    }

    /// Whether what is known may be believed: bad news always, good news until a doubt.
    fn is_certain(&self, known: LastCommit) -> bool {
        known.failure.is_some() || !self.inner.is_doubted.load(Ordering::Acquire)
    }

    /// Whether the wallet can commit. Takes at most `most`, and never longer than a
    /// second.
    pub(crate) async fn check(&self, most: Duration) -> Result<(), CannotCommit> {
        let mut probed = self.inner.probed.subscribe();
        let now = SystemClock.now();
        let is_known = |latest: &LastCommit| is_fresh(*latest, now) && self.is_certain(*latest);
        let known = self.latest().filter(is_known);
        let latest = if let Some(latest) = known {
            latest
        } else {
            self.probe();
            let answer = tokio::time::timeout(PATIENCE.min(most), probed.changed());
            let Ok(Ok(())) = answer.await else {
                return Err(CannotCommit);
            };
            let probed = *probed.borrow();
            probed.ok_or(CannotCommit)?
        };
        latest.failure.map_or(Ok(()), |_| Err(CannotCommit))
    }

    /// What is known, the latest first.
    fn latest(&self) -> Option<LastCommit> {
        let probed = *self.inner.probed.borrow();
        let known = [self.wallet.last_commit(), probed];
        known.into_iter().flatten().max_by_key(|known| known.at)
    }

    /// Begins a probe, unless one is under way. It goes on without those who wait.
    fn probe(&self) {
        if self.inner.is_probing.swap(true, Ordering::AcqRel) {
            return;
        }
        self.inner.is_doubted.store(false, Ordering::Release);
        let (wallet, inner) = (self.wallet.clone(), Arc::clone(&self.inner));
        tokio::spawn(async move {
            let failure = match tokio::time::timeout(PROBE_MAX, wallet.probe()).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => {
                    tracing::warn!(error = %Chain(&error), "not ready: the store cannot commit");
                    Some(kind(&error))
                }
                Err(_) => {
                    tracing::warn!("not ready: the store does not answer");
                    Some(StoreErrorKind::Unavailable)
                }
            };
            inner.probes.inc();
            if failure.is_some() {
                inner.failures.inc();
            }
            let at = SystemClock.now();
            inner.is_probing.store(false, Ordering::Release);
            inner.probed.send_replace(Some(LastCommit { at, failure }));
        });
    }
}

/// Whether it still tells what the next commit will come to. A clock that was set back
/// makes nothing true for longer.
fn is_fresh(known: LastCommit, now: Timestamp) -> bool {
    known.at <= now && now.since(known.at) < FRESH
}

fn kind(error: &WalletError) -> StoreErrorKind {
    match error {
        WalletError::Store(error) => error.kind(),
        _ => StoreErrorKind::Internal,
    }
}
