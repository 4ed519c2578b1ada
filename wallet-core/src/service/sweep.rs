use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::shared::Shared;
use super::{WalletError, enqueue};
use crate::yielding::yield_once;
use crate::{LockLease, LockManager, LockName, LockOwner, Prepared};

/// What the lock is called.
const LOCK: &str = "wallet-sweep";

/// Which of many processes sweeps.
#[derive(Debug)]
pub(super) struct SweepLock {
    locks: Arc<dyn LockManager>,
    owner: LockOwner,
}

impl SweepLock {
    pub(super) fn new(locks: Arc<dyn LockManager>, owner: LockOwner) -> Self {
        Self { locks, owner }
    }

    /// Whether it is certain that somebody else sweeps. Who sweeps keeps the
    /// lock until after its next look, so that it stays with one process, and
    /// another follows soon where that one ends.
    async fn is_taken(&self, interval: Duration) -> bool {
        let Ok(name) = LockName::new(LOCK) else {
            return false;
        };
        let ttl = interval.saturating_add(interval.checked_div(2).unwrap_or_default());
        let ttl = ttl.clamp(LockLease::TTL_MIN, LockLease::TTL_MAX);
        let acquire = self.locks.acquire(&name, &self.owner, ttl);
        let answer = AssertUnwindSafe(acquire).catch_unwind().await;
        matches!(answer, Ok(Ok(None)))
    }
}

/// Ends expired holds now and then; for ever, or not at all.
pub(super) async fn run(shared: Arc<Shared>) {
    let Some(interval) = shared.settings.sweep_interval else {
        return;
    };
    let most = shared.settings.sweep_size;
    loop {
        shared.clock.sleep(interval).await;
        if let Some(lock) = &shared.sweep_lock
            && lock.is_taken(interval).await
        {
            shared.stats.sweeps_left.add(1);
            continue;
        }
        // As long as there are more than one look finds. A store that fails now
        // is asked again after the next pause.
        while once(&shared, most).await.unwrap_or(0) >= u64::from(most.max(1)) {
            yield_once().await;
        }
    }
}

/// Ends at most `limit` expired holds, and says how many ended.
pub(super) async fn once(shared: &Shared, limit: u32) -> Result<u64, WalletError> {
    let expired = shared.store.expired_holds(limit).await?;
    if expired.is_empty() {
        return Ok(0);
    }
    let holds = shared.store.holds(&expired).await?;
    let mut answers = Vec::with_capacity(expired.len());
    for (key, hold) in expired.into_iter().zip(holds) {
        let mut request = Prepared::expiry(key, &*shared.ids);
        request.resolve(hold.as_slice(), &[]);
        answers.push(enqueue(shared, request));
    }
    let answers = join_all(answers).await;
    let ended = answers.into_iter().flatten();
    let ended = ended
        .filter(|answer| !answer.replayed && answer.outcome.result.is_ok())
        .count();
    let ended = u64::try_from(ended).unwrap_or(u64::MAX);
    shared.stats.expired.add(ended);
    Ok(ended)
}
