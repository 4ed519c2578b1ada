use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::ledger::{LockName, LockOwner, Timestamp};
use crate::store::{StoreError, StoreErrorKind};

/// Leases on names: each name has one owner at a time. With it, one of many
/// processes does a job that need not be done twice.
///
/// Locks are *advisory*. A holder that stalls longer than its lease continues while
/// the next holder has the lock. A lock service that loses its memory grants a name
/// twice. Actions that must not happen twice need a guard at the resource: the
/// ledger's own locks and keys, or a resource that checks fencing
/// [tokens](LockLease::token) and refuses a lower one. Money never depends on a
/// lock.
#[async_trait]
pub trait LockManager: Debug + Send + Sync + 'static {
    /// Acquires `name` for `owner` until `ttl` from now. Returns `None` while
    /// another owner holds it. The same owner can acquire it again at any time and
    /// then loses its earlier lease. So an attempt can be repeated when its answer
    /// was lost. Each success gives a greater fencing token.
    ///
    /// # Errors
    /// [`StoreError`]; `Invalid` for a `ttl` below a millisecond or above a day.
    async fn acquire(
        &self,
        name: &LockName,
        owner: &LockOwner,
        ttl: Duration,
    ) -> Result<Option<LockLease>, StoreError>;

    /// Extends the lease until `ttl` from now under the same fencing token.
    ///
    /// # Errors
    /// [`LockError`], with the same kinds as [`acquire`](Self::acquire).
    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<LockLease, LockError>;

    /// Releases the name at once.
    ///
    /// # Errors
    /// [`LockError`]: the lease was lost or the service failed.
    async fn release(&self, lease: &LockLease) -> Result<(), LockError>;
}

/// A lease: the right to a name until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockLease {
    /// The locked name.
    pub name: LockName,
    /// The owner of the lease.
    pub owner: LockOwner,
    /// The fencing token: greater than that of every earlier lease of the name.
    pub token: i64,
    /// The end of the lease, by the lock service's clock.
    pub until: Timestamp,
}

impl LockLease {
    /// The shortest lease.
    pub const TTL_MIN: Duration = Duration::from_millis(1);
    /// The longest lease.
    pub const TTL_MAX: Duration = Duration::from_secs(86_400);

    /// Checks the rule of every lock service.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid`.
    pub fn validate_ttl(ttl: Duration) -> Result<(), StoreError> {
        if ttl < Self::TTL_MIN || ttl > Self::TTL_MAX {
            let context = "a lease lasts from a millisecond to a day";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        Ok(())
    }
}

/// Errors of a [`LockManager`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// The lease has ended or the name has another owner. Nothing was changed. Stop
    /// the job that the lock was held for.
    #[error("the lease on the lock is lost")]
    LeaseLost,
    /// The lock service failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
