//! Write-behind of balances to the cache. Commits and reads queue balances here,
//! and the driver writes them to the cache beside its commits. So no commit and no
//! reader waits for a cache write.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use super::shared::Shared;
use super::stats::Stats;
use crate::cache::BalanceCache;
use crate::ledger::{AccountKey, Balance, Timestamp};

/// The greatest number of queued accounts. Further accounts are dropped.
const ACCOUNTS_MAX: usize = 65_536;
/// The same limit while the cache fails. Balances that are queued then are most
/// likely dropped, and should cost commits little.
const ACCOUNTS_MAX_FAILING: usize = 4_096;
/// The number of balances per write.
const PUT_MAX: usize = 1_024;
/// The longest time that a balance waits for a failing cache. After it, other
/// processes may have written newer balances. Then an old one could stay in the
/// cache for ever.
const AGE_MAX: Duration = Duration::from_secs(5);
/// The longest wait for a cache when the service ends.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The queued balances, the newest of each account.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    newest: FxHashMap<AccountKey, Noted>,
    /// The order in which accounts were queued. Accounts that were written since
    /// stay here until they reach the front.
    order: VecDeque<(u64, AccountKey)>,
    /// The number of accounts queued so far.
    count: u64,
    /// Whether the last write to the cache failed.
    is_failing: bool,
}

#[derive(Debug, Clone, Copy)]
struct Noted {
    balance: Balance,
    until: Timestamp,
    /// The number in the queue.
    number: u64,
}

impl Waiting {
    fn get(&self, number: u64, account: AccountKey) -> Option<&Noted> {
        let noted = self.newest.get(&account);
        noted.filter(|noted| noted.number == number)
    }
}

impl Pending {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the balances that `for_each` passes. Returns the number of balances
    /// without room.
    pub(super) fn note(
        &self,
        now: Timestamp,
        for_each: impl FnOnce(&mut dyn FnMut(Balance)),
    ) -> u64 {
        let until = now.saturating_add(AGE_MAX);
        let mut left_out: u64 = 0;
        let mut waiting = self.waiting();
        let Waiting {
            newest,
            order,
            count,
            is_failing,
        } = &mut *waiting;
        let most = if *is_failing {
            ACCOUNTS_MAX_FAILING
        } else {
            ACCOUNTS_MAX
        };
        for_each(&mut |balance| {
            let is_full = newest.len() >= most;
            match newest.get_mut(&balance.account) {
                Some(noted) if noted.balance.position() >= balance.position() => {}
                Some(noted) => (noted.balance, noted.until) = (balance, until),
                None if is_full => left_out = left_out.saturating_add(1),
                None => {
                    let number = *count;
                    *count = count.saturating_add(1);
                    order.push_back((number, balance.account));
                    let noted = Noted {
                        balance,
                        until,
                        number,
                    };
                    newest.insert(balance.account, noted);
                }
            }
        });
        drop(waiting);
        self.news.notify_one();
        left_out
    }

    /// Returns the queued balance of each account, in the order of `accounts`.
    pub(super) fn find(&self, accounts: &[AccountKey], now: Timestamp) -> Vec<Option<Balance>> {
        let waiting = self.waiting();
        let find = |account| {
            let noted = waiting.newest.get(account);
            let noted = noted.filter(|noted| noted.until > now);
            noted.map(|noted| noted.balance)
        };
        accounts.iter().map(find).collect()
    }

    /// Returns the oldest queued balances and drops those that waited too long.
    /// They stay visible to readers until they are [`done`](Self::done).
    fn next(&self, now: Timestamp, stats: &Stats) -> Vec<Balance> {
        let mut waiting = self.waiting();
        let mut too_old = Vec::new();
        let mut some = Vec::new();
        for (number, account) in &waiting.order {
            match waiting.get(*number, *account) {
                Some(noted) if noted.until <= now => too_old.push(*account),
                Some(noted) => some.push(noted.balance),
                None => {}
            }
            if some.len() >= PUT_MAX {
                break;
            }
        }
        for account in &too_old {
            waiting.newest.remove(account);
        }
        while let Some((number, account)) = waiting.order.front().copied()
            && waiting.get(number, account).is_none()
        {
            waiting.order.pop_front();
        }
        let too_old = u64::try_from(too_old.len()).unwrap_or(u64::MAX);
        stats.cache_dropped.add(too_old);
        some
    }

    /// Records that a write to the cache failed.
    fn failed(&self) {
        self.waiting().is_failing = true;
    }

    /// Removes balances that were written.
    fn done(&self, balances: &[Balance]) {
        let mut waiting = self.waiting();
        waiting.is_failing = false;
        for balance in balances {
            let noted = waiting.newest.get(&balance.account);
            if noted.is_some_and(|noted| noted.balance.position() <= balance.position()) {
                waiting.newest.remove(&balance.account);
            }
        }
    }
}

/// Writes queued balances to the cache, for ever.
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
            cached.pending.failed();
            shared.stats.cache_failures.add(1);
            shared
                .clock
                .sleep(shared.settings.retry.pause(failures))
                .await;
        }
    }
}

/// Writes the queued balances once, when the service ends.
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

/// Whether the cache stored them. A panic counts as a failure.
async fn put(cache: &dyn BalanceCache, balances: &[Balance]) -> bool {
    let put = AssertUnwindSafe(cache.put(balances)).catch_unwind().await;
    matches!(put, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{AccountId, Counters, Currency, InLedger, LedgerId};

    fn balance(number: usize, version: i64) -> Balance {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&number.to_be_bytes());
        Balance {
            account: InLedger::new(LedgerId::default(), AccountId::from_bytes(id)),
            currency: Currency::iso("EUR").unwrap(),
            counters: Counters::default(),
            epoch: crate::ledger::Epoch::FIRST,
            version,
        }
    }

    fn note(pending: &Pending, count: usize) -> u64 {
        pending.note(Timestamp::from_micros(0), |note| {
            (0..count).for_each(|number| note(balance(number, 1)));
        })
    }

    #[test]
    fn a_failing_cache_is_owed_less() {
        let pending = Pending::default();
        pending.failed();
        assert_eq!(note(&pending, ACCOUNTS_MAX_FAILING + 10), 10);
        pending.done(&[balance(0, 1)]);
        assert_eq!(note(&pending, ACCOUNTS_MAX), 0);
        assert_eq!(note(&pending, ACCOUNTS_MAX + 10), 10);
    }

    #[test]
    fn the_newest_of_an_account_waits() {
        let pending = Pending::default();
        let now = Timestamp::from_micros(0);
        for version in [2, 3, 1] {
            pending.note(now, |note| note(balance(7, version)));
        }
        let found = pending.find(&[balance(7, 0).account], now);
        assert_eq!(found[0].map(|balance| balance.version), Some(3));
        pending.done(&[balance(7, 2)]);
        assert_eq!(pending.find(&[balance(7, 0).account], now), found);
    }
}
