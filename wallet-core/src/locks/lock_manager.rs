use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::ledger::{LockName, LockOwner, Timestamp};
use crate::store::{StoreError, StoreErrorKind};

/// Lends names to one owner at a time: so that of many processes one does what
/// need not be done twice.
///
/// Locks are *advisory*. A holder that stalls for longer than its lease works on
/// while the next one has it, and a lock service that loses its memory lends a
/// name twice. Whatever must not happen twice is guarded where it happens: by
/// the ledger's own locks and keys, or by a resource that refuses a lower
/// [token](LockLease::token) than it has seen. Money never rests on a lock.
#[async_trait]
pub trait LockManager: Debug + Send + Sync + 'static {
    /// Takes `name` for `owner` until `ttl` from now, or answers `None` while
    /// somebody else holds it. The same owner gets it again at any time, and
    /// loses the lease that it had, so that an attempt whose answer was lost can
    /// be repeated. Each success gives a greater token.
    ///
    /// # Errors
    /// [`StoreError`]; `Invalid` for a `ttl` under a millisecond or over a day.
    async fn acquire(
        &self,
        name: &LockName,
        owner: &LockOwner,
        ttl: Duration,
    ) -> Result<Option<LockLease>, StoreError>;

    /// Extends the lease until `ttl` from now under the same token.
    ///
    /// # Errors
    /// [`LockError`]; as [`acquire`](Self::acquire).
    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<LockLease, LockError>;

    /// Gives the name back at once.
    ///
    /// # Errors
    /// [`LockError`].
    async fn release(&self, lease: &LockLease) -> Result<(), LockError>;
}

/// The right to a name until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockLease {
    /// What is held.
    pub name: LockName,
    /// Who holds it.
    pub owner: LockOwner,
    /// The fencing token: greater than that of every earlier lease of the name.
    pub token: i64,
    /// When it ends, by the lock service's clock.
    pub until: Timestamp,
}

impl LockLease {
    /// The shortest lease.
    pub const TTL_MIN: Duration = Duration::from_millis(1);
    /// The longest lease.
    pub const TTL_MAX: Duration = Duration::from_secs(86_400);

    /// Checks what every lock service refuses.
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
    /// The lease has ended or the name is somebody else's. Nothing was changed;
    /// stop what it was held for.
    #[error("the lease on the lock is lost")]
    LeaseLost,
    /// The lock service failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
