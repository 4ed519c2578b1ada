//! Fail open or fail closed: the answer to callers while the rate limiter is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::edge::{Charge, RateLimiter, Verdict};
use crate::ledger::LimitScope;
use crate::store::{StoreError, StoreErrorKind};

/// The answer when the limiter fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// Fail open: admit the call. Use it where limits are a courtesy, and no caller
    /// should wait for a limiter that is down.
    FailOpen,
    /// Fail closed: refuse the call. Use it where limits are a protection, and no
    /// call may pass unchecked.
    FailClosed,
}

/// A rate limiter that fails open or closed, as the host chooses.
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
/// let limits = GuardedLimiter::new(limiter, OnFailure::FailOpen);
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

/// The decision about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Whether the call may proceed.
    pub is_admitted: bool,
    /// The limiter's verdict; `None` where the limiter failed.
    pub verdict: Option<Verdict>,
}

impl GuardedLimiter {
    /// Wraps `limiter` with the answer to its failures.
    #[must_use]
    pub fn new(limiter: Arc<dyn RateLimiter>, on_failure: OnFailure) -> Self {
        Self {
            limiter,
            on_failure,
            failures: AtomicU64::new(0),
        }
    }

    /// Charges limits as [`RateLimiter::take`] does.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid` for invalid charges. Every other failure
    /// gets the host's configured answer.
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
                        OnFailure::FailOpen => true,
                        OnFailure::FailClosed => false,
                    },
                    verdict: None,
                })
            }
        }
    }

    /// The number of limiter failures so far.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}
