use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::ledger::{LockName, LockOwner, Timestamp};
use crate::locks::{LockError, LockLease, LockManager};
use crate::runtime::Clock;
use crate::store::StoreError;

/// Locks between the tasks of this process. It is for tests, and for a host that
/// runs one process.
#[derive(Debug)]
pub struct MemoryLocks {
    clock: Arc<dyn Clock>,
    leases: Mutex<BTreeMap<LockName, LockLease>>,
}

impl MemoryLocks {
    /// A lock manager without any lock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            leases: Mutex::default(),
        }
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<LockName, LockLease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the end of a lease that is still held at `now`.
    fn end_at(
        &self,
        lease: &LockLease,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<LockLease, LockError> {
        let mut leases = self.leases();
        let held = leases.get_mut(&lease.name);
        let held = held.filter(|held| held.token == lease.token && held.until > now);
        let held = held.ok_or(LockError::LeaseLost)?;
        held.until = until;
        Ok(held.clone())
    }
}

#[async_trait]
impl LockManager for MemoryLocks {
    async fn acquire(
        &self,
        name: &LockName,
        owner: &LockOwner,
        ttl: Duration,
    ) -> Result<Option<LockLease>, StoreError> {
        LockLease::validate_ttl(ttl)?;
        let now = self.clock.now();
        let mut leases = self.leases();
        let held = leases.get(name);
        if held.is_some_and(|held| held.owner != *owner && held.until > now) {
            return Ok(None);
        }
        let next = held.map_or(0, |held| held.token).saturating_add(1);
        let lease = LockLease {
            name: name.clone(),
            owner: owner.clone(),
            // As after a loss of memory, the token is greater than any earlier one.
            token: next.max(now.as_micros()),
            until: now.saturating_add(ttl),
        };
        leases.insert(name.clone(), lease.clone());
        Ok(Some(lease))
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<LockLease, LockError> {
        LockLease::validate_ttl(ttl)?;
        let now = self.clock.now();
        self.end_at(lease, now, now.saturating_add(ttl))
    }

    async fn release(&self, lease: &LockLease) -> Result<(), LockError> {
        let now = self.clock.now();
        // The row stays, so that the next token is greater. Its end is in the far past,
        // so it stays ended even when the clock steps back.
        let long_ago = Timestamp::from_micros(i64::MIN);
        self.end_at(lease, now, long_ago).map(drop)
    }
}
