use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::cache::BalanceCache;
use crate::ledger::{AccountKey, Balance, Timestamp};
use crate::runtime::Clock;
use crate::store::StoreError;

/// Balances in the memory of this process: for tests, and for a host that runs
/// one process.
#[derive(Debug)]
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    ttl: Duration,
    capacity: usize,
    kept: Mutex<BTreeMap<AccountKey, Kept>>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    balance: Balance,
    until: Timestamp,
}

impl MemoryCache {
    /// Keeps up to `capacity` balances, each for `ttl` less up to a tenth of it,
    /// so that what was kept together does not end together.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, ttl: Duration, capacity: usize) -> Self {
        Self {
            clock,
            ttl,
            capacity,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room: what has ended goes first, then whatever comes first.
    fn make_room(&self, kept: &mut BTreeMap<AccountKey, Kept>, now: Timestamp) {
        if kept.len() < self.capacity {
            return;
        }
        kept.retain(|_, one| one.until > now);
        while kept.len() >= self.capacity.max(1) {
            kept.pop_first();
        }
    }
}

/// How long a balance is kept: `ttl` less up to a tenth, by account and version,
/// so that the same is said everywhere.
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
        let kept = self.kept();
        let found = accounts.iter().map(|account| {
            let one = kept.get(account).filter(|one| one.until > now);
            one.map(|one| one.balance)
        });
        Ok(found.collect())
    }

    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut kept = self.kept();
        for balance in balances {
            let one = kept.get(&balance.account).filter(|one| one.until > now);
            if one.is_some_and(|one| one.balance.position() >= balance.position()) {
                continue;
            }
            if !kept.contains_key(&balance.account) {
                self.make_room(&mut kept, now);
            }
            let until = now.saturating_add(ttl_with_jitter(self.ttl, balance));
            let balance = *balance;
            kept.insert(balance.account, Kept { balance, until });
        }
        Ok(())
    }

    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError> {
        let mut kept = self.kept();
        for account in accounts {
            kept.remove(account);
        }
        Ok(())
    }
}
