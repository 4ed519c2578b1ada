use std::sync::Arc;

use futures_util::future::join_all;

use super::shared::Shared;
use super::{WalletError, enqueue};
use crate::Prepared;
use crate::yielding::yield_once;

/// Ends expired holds now and then; for ever, or not at all.
pub(super) async fn run(shared: Arc<Shared>) {
    let Some(interval) = shared.settings.sweep_interval else {
        return;
    };
    let most = shared.settings.sweep_size;
    loop {
        shared.clock.sleep(interval).await;
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
