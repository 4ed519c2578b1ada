//! The readiness probe: whether the server can commit, as `/health/ready` reports.
//!
//! The result of the latest commit decides. A probe decides instead if that commit is too
//! old, or if a caller has since received an answer that the store is not available. The
//! probe is a write of the store's own. A failed read before a commit decides nothing: it
//! proves neither that commits fail nor that they succeed. All concurrent requests wait
//! for the same probe and share its answer for a while, so that frequent requests cost
//! the store nothing.

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

/// How long the result of a commit or a probe is valid.
const FRESH: Duration = Duration::from_secs(5);
/// How long a probe may take.
const PROBE_MAX: Duration = Duration::from_secs(5);
/// How long a request waits for a probe.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known about whether the wallet can commit.
#[derive(Debug, Clone)]
pub(crate) struct Readiness {
    wallet: Wallet,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    probed: watch::Sender<Option<LastCommit>>,
    is_probing: AtomicBool,
    /// Whether a caller has received an answer, since the last probe began, that the
    /// store is not available.
    is_doubted: AtomicBool,
    probes: Counter,
    failures: Counter,
}

/// The wallet cannot commit, or its state is unknown.
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

    /// The number of probes, and of failed probes.
    pub(crate) fn counts(&self) -> (Counter, Counter) {
        (self.inner.probes.clone(), self.inner.failures.clone())
    }

    /// Whether the wallet could commit by the last result.
    pub(crate) fn was_ready(&self) -> Option<bool> {
        self.latest().map(|latest| latest.failure.is_none())
    }

    /// Notes that a caller received an answer that the store is not available. The result
    /// of an earlier commit is then no longer valid.
    pub(crate) fn doubt(&self) {
        self.inner.is_doubted.store(true, Ordering::Release);
    }

    /// Whether the known result is valid: a failure always, a success until the next
    /// doubt.
    fn is_certain(&self, known: LastCommit) -> bool {
        known.failure.is_some() || !self.inner.is_doubted.load(Ordering::Acquire)
    }

    /// Whether the wallet can commit. Takes at most `most`, and never more than a second.
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

    /// The known results, the latest first.
    fn latest(&self) -> Option<LastCommit> {
        let probed = *self.inner.probed.borrow();
        let known = [self.wallet.last_commit(), probed];
        known.into_iter().flatten().max_by_key(|known| known.at)
    }

    /// Starts a probe, unless one is in flight. The probe continues if its waiters leave.
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

/// Whether the result is still recent enough. A clock that was set back does not make a
/// result valid for longer.
fn is_fresh(known: LastCommit, now: Timestamp) -> bool {
    known.at <= now && now.since(known.at) < FRESH
}

fn kind(error: &WalletError) -> StoreErrorKind {
    match error {
        WalletError::Store(error) => error.kind(),
        _ => StoreErrorKind::Internal,
    }
}
