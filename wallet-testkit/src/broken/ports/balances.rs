use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::planted_bugs;
use wallet_core::cache::BalanceCache;
use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::test_hooks::yield_once;
use wallet_core::{Balance, LedgerId, StoreError};

planted_bugs! {
    /// A bug that is planted in a balance cache.
    BalanceBug {
        /// Does not store pending amounts.
        ForgetsPending,
        /// Returns balances in the order of the accounts.
        SortsAnswers,
        /// Never replaces a stored balance.
        KeepsTheFirst,
        /// Always stores the latest write.
        KeepsTheLast,
        /// Compares versions and ignores epochs.
        IgnoresEpochs,
        /// Compares versions as texts.
        ComparesTexts,
        /// Compares versions as floats.
        ComparesFloats,
        /// Stores one balance for an id in all ledgers.
        MixesLedgers,
        /// Of several balances of one account in one call, stores the first.
        TakesTheFirstOfACall,
        /// Never removes a balance.
        ForgetsNothing,
        /// Handles only the first 1,000 accounts of a call.
        CutsCalls,
        /// Compares first and stores later, which is not atomic.
        LooksThenKeeps,
    }
}

/// A balance cache with a bug.
#[derive(Debug)]
pub struct BrokenCache {
    bug: Option<BalanceBug>,
    balances: Mutex<BTreeMap<AccountKey, Balance>>,
}

impl BrokenCache {
    /// An empty cache.
    #[must_use]
    pub fn new(bug: Option<BalanceBug>) -> Self {
        let balances = Mutex::default();
        Self { bug, balances }
    }

    fn has(&self, bug: BalanceBug) -> bool {
        self.bug == Some(bug)
    }

    fn balances(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Balance>> {
        self.balances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, account: AccountKey) -> AccountKey {
        if self.has(BalanceBug::MixesLedgers) {
            return InLedger::new(LedgerId::default(), account.id);
        }
        account
    }

    fn is_newer(&self, new: &Balance) -> bool {
        let balances = self.balances();
        let Some(old) = balances.get(&self.place(new.account)) else {
            return true;
        };
        if new.epoch != old.epoch && !self.has(BalanceBug::IgnoresEpochs) {
            return new.epoch > old.epoch;
        }
        match self.bug {
            Some(BalanceBug::KeepsTheFirst) => false,
            Some(BalanceBug::KeepsTheLast) => true,
            Some(BalanceBug::ComparesTexts) => new.version.to_string() > old.version.to_string(),
            // A float has 53 bits.
            Some(BalanceBug::ComparesFloats) => {
                new.version >> 10 > old.version >> 10
                    || new.version.max(old.version) < 1 << 53 && new.version > old.version
            }
            _ => new.version > old.version,
        }
    }
}

#[async_trait]
impl BalanceCache for BrokenCache {
    async fn get(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        let mut accounts = accounts.to_vec();
        if self.has(BalanceBug::SortsAnswers) {
            accounts.sort_unstable();
        }
        let balances = self.balances();
        let find = |account: &AccountKey| {
            let found = balances.get(&self.place(*account)).copied();
            found.map(|balance| Balance {
                account: *account,
                ..balance
            })
        };
        Ok(accounts.iter().map(find).collect())
    }

    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError> {
        let cut = if self.has(BalanceBug::CutsCalls) {
            1_000
        } else {
            usize::MAX
        };
        let mut done = Vec::new();
        for balance in balances.iter().take(cut) {
            let mut balance = *balance;
            if self.has(BalanceBug::ForgetsPending) {
                balance.counters.debits_pending = 0;
                balance.counters.credits_pending = 0;
            }
            if self.has(BalanceBug::TakesTheFirstOfACall) && done.contains(&balance.account) {
                continue;
            }
            done.push(balance.account);
            let is_newer = self.is_newer(&balance);
            if self.has(BalanceBug::LooksThenKeeps) {
                yield_once().await;
            }
            if is_newer {
                self.balances().insert(self.place(balance.account), balance);
            }
        }
        Ok(())
    }

    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError> {
        if !self.has(BalanceBug::ForgetsNothing) {
            let mut balances = self.balances();
            for account in accounts {
                balances.remove(&self.place(*account));
            }
        }
        Ok(())
    }
}
