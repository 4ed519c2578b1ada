//! What becomes of callers while their limits cannot be looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::edge::{Charge, RateLimiter, Verdict};
use crate::ledger::LimitScope;
use crate::store::{StoreError, StoreErrorKind};

/// What to say where the limiter fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// Admit: limits are a courtesy, and nobody waits for a limiter that is down.
    Admit,
    /// Refuse: limits are a protection, and nothing passes unchecked.
    Refuse,
}

/// A rate limiter with the host's decision what holds while it fails.
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// use std::{sync::Arc, time::Duration};
/// use wallet_core::memory::MemoryLimiter;
/// use wallet_core::SystemClock;
/// use wallet_core::edge::{Charge, GuardedLimiter, OnFailure, Quota};
/// use wallet_core::ledger::{LimitName, LimitScope};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let limiter = Arc::new(MemoryLimiter::new(Arc::new(SystemClock)));
/// let limits = GuardedLimiter::new(limiter, OnFailure::Admit);
///
/// let tenant = LimitScope::new("tenant-7")?;
/// let calls = Quota::new(100, 100, Duration::from_secs(1))?;
/// let payouts = Quota::new(3, 10, Duration::from_secs(86_400))?;
/// let charges = [
///     Charge::new(LimitName::new("key:k1")?, calls, 1),
///     Charge::new(LimitName::new("payouts:account-42")?, payouts, 1),
/// ];
/// let answer = limits.check(&tenant, &charges).await?;
/// assert!(answer.is_admitted);
/// assert_eq!(answer.verdict.expect("it was checked").limits[1].remaining, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct GuardedLimiter {
    limiter: Arc<dyn RateLimiter>,
    on_failure: OnFailure,
    failures: AtomicU64,
}

/// Whether a call may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Whether it may.
    pub is_admitted: bool,
    /// What the limiter said; nothing where it failed.
    pub verdict: Option<Verdict>,
}

impl GuardedLimiter {
    /// `limiter`, and what holds while it fails.
    #[must_use]
    pub fn new(limiter: Arc<dyn RateLimiter>, on_failure: OnFailure) -> Self {
        Self {
            limiter,
            on_failure,
            failures: AtomicU64::new(0),
        }
    }

    /// Takes from limits as [`RateLimiter::take`] does.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid` for charges that make no sense; every
    /// other failure is answered as the host has decided.
    pub async fn check(
        &self,
        scope: &LimitScope,
        charges: &[Charge],
    ) -> Result<Admission, StoreError> {
        match self.limiter.take(scope, charges).await {
            Ok(verdict) => Ok(Admission {
                is_admitted: verdict.is_admitted(),
                verdict: Some(verdict),
            }),
            Err(error) if error.kind() == StoreErrorKind::Invalid => Err(error),
            Err(_) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                Ok(Admission {
                    is_admitted: match self.on_failure {
                        OnFailure::Admit => true,
                        OnFailure::Refuse => false,
                    },
                    verdict: None,
                })
            }
        }
    }

    /// How often the limiter failed so far.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}
