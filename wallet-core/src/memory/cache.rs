use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::cache::BalanceCache;
use crate::ledger::{AccountKey, Balance, Timestamp};
use crate::runtime::Clock;
use crate::store::StoreError;

/// A balance cache in the memory of this process. It is for tests, and for a host
/// that runs one process.
#[derive(Debug)]
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    ttl: Duration,
    capacity: usize,
    entries: Mutex<BTreeMap<AccountKey, Entry>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    balance: Balance,
    until: Timestamp,
}

impl MemoryCache {
    /// A cache of at most `capacity` balances. Each balance lives for `ttl` minus
    /// up to 10 percent. So balances that were stored together do not expire
    /// together.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, ttl: Duration, capacity: usize) -> Self {
        Self {
            clock,
            ttl,
            capacity,
            entries: Mutex::default(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room: expired balances are removed first, then the first ones in key
    /// order.
    fn make_room(&self, entries: &mut BTreeMap<AccountKey, Entry>, now: Timestamp) {
        if entries.len() < self.capacity {
            return;
        }
        entries.retain(|_, one| one.until > now);
        while entries.len() >= self.capacity.max(1) {
            entries.pop_first();
        }
    }
}

/// The life of a balance: `ttl` minus up to 10 percent. It depends on account and
/// version only, so every process computes the same value.
#[must_use]
pub fn ttl_with_jitter(ttl: Duration, balance: &Balance) -> Duration {
    let (high, low) = balance.account.id.uuid().as_u64_pair();
    let mixed = (high ^ low ^ balance.version.cast_unsigned()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let part = u32::try_from(mixed >> 48).unwrap_or(0);
    let tenth = ttl.checked_div(10).unwrap_or_default();
    let less = tenth.saturating_mul(part).checked_div(1 << 16);
    ttl.saturating_sub(less.unwrap_or_default())
}

#[async_trait]
impl BalanceCache for MemoryCache {
    async fn get(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        let now = self.clock.now();
        let entries = self.entries();
        let found = accounts.iter().map(|account| {
            let one = entries.get(account).filter(|one| one.until > now);
            one.map(|one| one.balance)
        });
        Ok(found.collect())
    }

    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut entries = self.entries();
        for balance in balances {
            let one = entries.get(&balance.account).filter(|one| one.until > now);
            if one.is_some_and(|one| one.balance.position() >= balance.position()) {
                continue;
            }
            if !entries.contains_key(&balance.account) {
                self.make_room(&mut entries, now);
            }
            let until = now.saturating_add(ttl_with_jitter(self.ttl, balance));
            let balance = *balance;
            entries.insert(balance.account, Entry { balance, until });
        }
        Ok(())
    }

    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError> {
        let mut entries = self.entries();
        for account in accounts {
            entries.remove(account);
        }
        Ok(())
    }
}
