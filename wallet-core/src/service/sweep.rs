use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};

use super::shared::Shared;
use super::{WalletError, enqueue};
use crate::ledger::{Hold, HoldKey, LockName, LockOwner};
use crate::locks::LeaderHint;
use crate::locks::LockManager;
use crate::request::PreparedRequest;
use crate::runtime::yield_once;
use crate::store::StoreErrorKind;

/// The name of the lock.
const LOCK: &str = "wallet-sweep";

/// The leader hint of the sweep. The leader holds it until after its next sweep, so
/// that it stays with one process. If that process ends, another one follows soon.
pub(super) fn turn(locks: Arc<dyn LockManager>, owner: LockOwner) -> Option<LeaderHint> {
    let name = LockName::new(LOCK).ok()?;
    Some(LeaderHint::new(locks, name, owner))
}

/// Sweeps expired holds at each interval; for ever, or not at all.
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
        // Sweeps on while one step finds the greatest number of holds. A failed store is
        // queried again after the next pause.
        while once(&shared, most).await.unwrap_or(0) >= u64::from(most.max(1)) {
            yield_once().await;
        }
    }
}

/// Whether another process certainly has the hint. The sweep does not wait for a
/// slow lock service.
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

/// Expires at most `limit` holds, and returns the number of expired holds.
/// Unreadable holds are left out.
pub(super) async fn once(shared: &Shared, limit: u32) -> Result<u64, WalletError> {
    let now = shared.clock.now();
    shared.quarantine.look(now);
    let left_out = u32::try_from(shared.quarantine.len()).unwrap_or(u32::MAX);
    let most = limit.saturating_add(left_out);
    let mut expired = shared.store.expired_holds(most).await?;
    expired.retain(|hold| !shared.quarantine.has(hold));
    expired.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut answers = Vec::with_capacity(expired.len());
    for (key, hold) in readable(shared, expired).await? {
        let mut request = PreparedRequest::expiry(key, &*shared.ids);
        request.resolve(hold.as_slice(), &[]);
        let answer = enqueue(shared, Arc::new(request));
        answers.push(async move { (key, answer.await) });
    }
    let mut ended = 0_u64;
    for (key, answer) in join_all(answers).await {
        match answer {
            Ok(answer) if !answer.replayed && answer.outcome.result.is_ok() => {
                ended = ended.saturating_add(1);
            }
            // A row of the hold cannot be read. The committer has counted it.
            Err(WalletError::Store(error)) if error.kind() == StoreErrorKind::Corrupt => {
                shared.quarantine.add(key, error, shared.clock.now());
            }
            Ok(_) | Err(_) => {}
        }
    }
    shared.stats.expired.add(ended);
    Ok(ended)
}

/// Returns the holds of these keys. Unreadable holds are found by halving, and are
/// left out.
async fn readable(
    shared: &Shared,
    keys: Vec<HoldKey>,
) -> Result<Vec<(HoldKey, Option<Hold>)>, WalletError> {
    let mut found = Vec::with_capacity(keys.len());
    let mut parts = vec![keys];
    while let Some(mut part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        match shared.store.holds(&part).await {
            Ok(holds) => found.extend(part.into_iter().zip(holds)),
            Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                if let [hold] = part.as_slice() {
                    shared.stats.damaged.add(1);
                    let now = shared.clock.now();
                    shared.quarantine.add(*hold, Arc::new(error), now);
                } else {
                    let rest = part.split_off(part.len().div_euclid(2));
                    // The first half is on top, because its holds expired first.
                    parts.push(rest);
                    parts.push(part);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}
