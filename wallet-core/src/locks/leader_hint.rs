use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;

use crate::ledger::{LockName, LockOwner};
use crate::locks::{LockLease, LockManager};

/// A leader hint: it suggests which of many processes should do a shared job, such
/// as sweeping or publishing. It saves work and guards nothing. If the lock service
/// fails or panics, every process does the job.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use wallet_core::SystemClock;
/// use wallet_core::ledger::{LockName, LockOwner};
/// use wallet_core::memory::MemoryLocks;
/// use wallet_core::locks::LeaderHint;
///
/// # fn main() -> Result<(), wallet_core::ledger::TextError> {
/// # wallet_testkit::block_on(async {
/// let locks = Arc::new(MemoryLocks::new(Arc::new(SystemClock)));
/// let turn = |who| -> Result<LeaderHint, wallet_core::ledger::TextError> {
///     Ok(LeaderHint::new(locks.clone(), LockName::new("report")?, LockOwner::new(who)?))
/// };
/// let (one, other) = (turn("a")?, turn("b")?);
/// let ttl = Duration::from_secs(10);
/// assert!(one.take(ttl).await);
/// assert!(!other.take(ttl).await);
/// one.pass().await;
/// assert!(other.take(ttl).await);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Debug)]
pub struct LeaderHint {
    locks: Arc<dyn LockManager>,
    name: LockName,
    owner: LockOwner,
    lease: Mutex<Option<LockLease>>,
}

impl LeaderHint {
    /// The leader hint `name` for `owner`, which must differ for each process.
    #[must_use]
    pub const fn new(locks: Arc<dyn LockManager>, name: LockName, owner: LockOwner) -> Self {
        Self {
            locks,
            name,
            owner,
            lease: Mutex::new(None),
        }
    }

    /// Acquires or extends the leader hint until `ttl` from now. `ttl` is limited
    /// to between a millisecond and a day. Returns `false` only if another process
    /// certainly has the hint.
    pub async fn take(&self, ttl: Duration) -> bool {
        let ttl = ttl.clamp(LockLease::TTL_MIN, LockLease::TTL_MAX);
        let acquire = self.locks.acquire(&self.name, &self.owner, ttl);
        let answer = AssertUnwindSafe(acquire).catch_unwind().await;
        let answer = answer.ok().and_then(Result::ok);
        let is_ours = !matches!(answer, Some(None));
        self.note(answer.flatten());
        is_ours
    }

    /// Releases the hint for the next process. If the release fails, the lease ends
    /// by itself.
    pub async fn pass(&self) {
        if let Some(lease) = self.note(None) {
            let release = self.locks.release(&lease);
            let _ = AssertUnwindSafe(release).catch_unwind().await;
        }
    }

    fn note(&self, lease: Option<LockLease>) -> Option<LockLease> {
        let mut held = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut held, lease)
    }
}
