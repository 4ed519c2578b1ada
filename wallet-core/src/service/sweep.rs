use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};

use super::shared::Shared;
use super::{WalletError, enqueue};
use crate::yielding::yield_once;
use crate::{LockManager, LockName, LockOwner, Prepared, Turn};

/// What the lock is called.
const LOCK: &str = "wallet-sweep";

/// Which of many processes sweeps. Who does keeps the turn until after its next
/// look, so that it stays with one process, and another follows soon where that
/// one ends.
pub(super) fn turn(locks: Arc<dyn LockManager>, owner: LockOwner) -> Option<Turn> {
    let name = LockName::new(LOCK).ok()?;
    Some(Turn::new(locks, name, owner))
}

/// Ends expired holds now and then; for ever, or not at all.
pub(super) async fn run(shared: Arc<Shared>) {
    let Some(interval) = shared.settings.sweep_interval else {
        return;
    };
    let most = shared.settings.sweep_size;
    loop {
        shared.clock.sleep(interval).await;
        if is_anothers_turn(&shared, interval).await {
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

/// Whether it is certain; a lock service that is slow is not waited for.
async fn is_anothers_turn(shared: &Shared, interval: Duration) -> bool {
    let Some(turn) = &shared.sweep_turn else {
        return false;
    };
    let half = interval.checked_div(2).unwrap_or_default();
    let taken = turn.take(interval.saturating_add(half));
    match select(pin!(taken), shared.clock.sleep(interval)).await {
        Either::Left((is_ours, _)) => !is_ours,
        Either::Right(_) => false,
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
