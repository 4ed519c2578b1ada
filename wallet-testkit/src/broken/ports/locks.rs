use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::{ManualClock, planted_bugs};
use wallet_core::StoreError;
use wallet_core::ledger::{LockName, LockOwner};
use wallet_core::locks::{LockError, LockLease, LockManager};
use wallet_core::memory::MemoryLocks;
use wallet_core::runtime::Clock;
use wallet_core::test_hooks::yield_once;

planted_bugs! {
    /// A bug that is planted in a lock service.
    LockBug {
        /// Grants a name to every caller.
        GivesToAnybody,
        /// Never ends a lease.
        NeverEnds,
        /// Counts tokens from 1 again after a release.
        ForgetsTokens,
        /// Refuses the current owner.
        RefusesItsOwner,
        /// Reports a renewal without renewing.
        RenewsNothing,
        /// Renews and releases any lease, whatever its token is.
        IgnoresTokens,
        /// Reports a release without releasing.
        ReleasesNothing,
        /// Uses only the part of a name before its colon.
        CutsNames,
        /// Accepts any `ttl`.
        TakesAnyTime,
        /// Checks first and grants later, which is not atomic.
        LooksThenLends,
    }
}

/// A lock service with a bug.
#[derive(Debug)]
pub struct BrokenLocks {
    bug: Option<LockBug>,
    clock: Arc<ManualClock>,
    inner: MemoryLocks,
    /// The latest granted lease of any name.
    last: Mutex<Option<LockLease>>,
}

impl BrokenLocks {
    /// A lock service without any lock.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>, bug: Option<LockBug>) -> Self {
        let inner_clock = match bug {
            Some(LockBug::NeverEnds) => Arc::new(ManualClock::new(clock.now())),
            _ => Arc::clone(&clock),
        };
        Self {
            bug,
            clock,
            inner: MemoryLocks::new(inner_clock),
            last: Mutex::default(),
        }
    }

    fn has(&self, bug: LockBug) -> bool {
        self.bug == Some(bug)
    }

    fn name(&self, name: &LockName) -> LockName {
        let cut = name
            .as_str()
            .split(':')
            .next()
            .filter(|_| self.has(LockBug::CutsNames));
        cut.map_or_else(|| name.clone(), |cut| LockName::new(cut).expect("a name"))
    }

    fn ttl(&self, ttl: Duration) -> Duration {
        if self.has(LockBug::TakesAnyTime) {
            return ttl.clamp(LockLease::TTL_MIN, LockLease::TTL_MAX);
        }
        ttl
    }

    /// The lease that the bug uses instead.
    fn meant(&self, lease: &LockLease) -> LockLease {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut meant = last.clone().filter(|_| self.has(LockBug::IgnoresTokens));
        meant = meant.filter(|last| last.name == self.name(&lease.name));
        meant.unwrap_or_else(|| LockLease {
            name: self.name(&lease.name),
            ..lease.clone()
        })
    }
}

#[async_trait]
impl LockManager for BrokenLocks {
    async fn acquire(
        &self,
        name: &LockName,
        owner: &LockOwner,
        ttl: Duration,
    ) -> Result<Option<LockLease>, StoreError> {
        let (own, ttl) = (self.name(name), self.ttl(ttl));
        let last = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let held = last.filter(|last| last.name == own && last.until > self.clock.now());
        if self.has(LockBug::RefusesItsOwner)
            && held.as_ref().is_some_and(|one| one.owner == *owner)
        {
            return Ok(None);
        }
        let mut asks = owner.clone();
        if let Some(held) = &held {
            if self.has(LockBug::GivesToAnybody) {
                asks = held.owner.clone();
            }
        } else if self.has(LockBug::LooksThenLends) {
            yield_once().await;
            let since = self
                .last
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if let Some(since) = since {
                asks = since.owner;
            }
        }
        let Some(lease) = self.inner.acquire(&own, &asks, ttl).await? else {
            return Ok(None);
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease.clone());
        let token = if self.has(LockBug::ForgetsTokens) {
            1
        } else {
            lease.token
        };
        Ok(Some(LockLease {
            name: name.clone(),
            owner: owner.clone(),
            token,
            ..lease
        }))
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<LockLease, LockError> {
        let ttl = self.ttl(ttl);
        if self.has(LockBug::RenewsNothing) {
            LockLease::validate_ttl(ttl)?;
            let until = self.clock.now().saturating_add(ttl);
            return Ok(LockLease {
                until,
                ..lease.clone()
            });
        }
        let renewed = self.inner.renew(&self.meant(lease), ttl).await?;
        Ok(LockLease {
            name: lease.name.clone(),
            ..renewed
        })
    }

    async fn release(&self, lease: &LockLease) -> Result<(), LockError> {
        if self.has(LockBug::ReleasesNothing) {
            return Ok(());
        }
        self.inner.release(&self.meant(lease)).await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}
