//! Balances on their way to the cache: noted by whoever learned of them, put by
//! the driver beside its commits, so that no commit and no reader waits for the
//! cache.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::shared::Shared;
use super::stats::Stats;
use crate::{AccountKey, Balance, BalanceCache, Timestamp};

/// How many accounts wait at most; of further ones nothing is kept.
const ACCOUNTS_MAX: usize = 65_536;
/// How many balances are put at a time.
const PUT_MAX: usize = 1_024;
/// For how long a balance waits for a cache that fails. Beyond it others may
/// have written newer ones, and readers would be told of an old one for ever.
const AGE_MAX: Duration = Duration::from_secs(5);
/// The longest wait for a cache when the service ends.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What waits, the newest of each account.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: Mutex<BTreeMap<AccountKey, Noted>>,
    news: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Noted {
    balance: Balance,
    until: Timestamp,
}

impl Pending {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Noted>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of balances; answers how many there was no room for.
    pub(super) fn note(&self, balances: Vec<Balance>, now: Timestamp) -> u64 {
        let until = now.saturating_add(AGE_MAX);
        let mut left_out: u64 = 0;
        let mut waiting = self.waiting();
        for balance in balances {
            let is_full = waiting.len() >= ACCOUNTS_MAX;
            match waiting.get_mut(&balance.account) {
                Some(noted) if noted.balance.version >= balance.version => {}
                Some(noted) => *noted = Noted { balance, until },
                None if is_full => left_out = left_out.saturating_add(1),
                None => {
                    waiting.insert(balance.account, Noted { balance, until });
                }
            }
        }
        drop(waiting);
        self.news.notify_one();
        left_out
    }

    /// The balance of each account that waits here, in the order asked.
    pub(super) fn find(&self, accounts: &[AccountKey], now: Timestamp) -> Vec<Option<Balance>> {
        let waiting = self.waiting();
        let find = |account| {
            let noted = waiting.get(account).filter(|noted| noted.until > now);
            noted.map(|noted| noted.balance)
        };
        accounts.iter().map(find).collect()
    }

    /// Some of what waits, without what has waited for too long. It stays until
    /// it is [`done`](Self::done), for readers.
    fn next(&self, now: Timestamp, stats: &Stats) -> Vec<Balance> {
        let mut waiting = self.waiting();
        let before = waiting.len();
        if waiting.values().any(|noted| noted.until <= now) {
            waiting.retain(|_, noted| noted.until > now);
        }
        let too_old = before.saturating_sub(waiting.len());
        stats
            .cache_dropped
            .add(u64::try_from(too_old).unwrap_or(u64::MAX));
        let some = waiting.values().take(PUT_MAX);
        some.map(|noted| noted.balance).collect()
    }

    /// These were put.
    fn done(&self, balances: &[Balance]) {
        let mut waiting = self.waiting();
        for balance in balances {
            let noted = waiting.get(&balance.account);
            if noted.is_some_and(|noted| noted.balance.version <= balance.version) {
                waiting.remove(&balance.account);
            }
        }
    }
}

/// Puts what waits, for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let Some(cached) = &shared.cached else {
        return std::future::pending().await;
    };
    let mut failures = 0_u32;
    loop {
        let balances = cached.pending.next(shared.clock.now(), &shared.stats);
        if balances.is_empty() {
            cached.pending.news.notified().await;
            continue;
        }
        if put(&*cached.cache, &balances).await {
            failures = 0;
            let count = u64::try_from(balances.len()).unwrap_or(u64::MAX);
            shared.stats.cache_writes.add(count);
            cached.pending.done(&balances);
        } else {
            failures = failures.saturating_add(1);
            shared.stats.cache_failures.add(1);
            shared.clock.sleep(shared.settings.pause(failures)).await;
        }
    }
}

/// Puts what waits, once, as the service ends.
pub(super) async fn finish(shared: &Shared) {
    let Some(cached) = &shared.cached else { return };
    let last = async {
        loop {
            let balances = cached.pending.next(shared.clock.now(), &shared.stats);
            if balances.is_empty() || !put(&*cached.cache, &balances).await {
                return;
            }
            cached.pending.done(&balances);
        }
    };
    let (last, wait) = (std::pin::pin!(last), shared.clock.sleep(LAST_WAIT));
    match select(last, wait).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}

/// Whether the cache took them. One that panics did not.
async fn put(cache: &dyn BalanceCache, balances: &[Balance]) -> bool {
    let put = AssertUnwindSafe(cache.put(balances)).catch_unwind().await;
    matches!(put, Ok(Ok(())))
}
