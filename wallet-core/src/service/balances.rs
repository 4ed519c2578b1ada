//! Reads of balances, from the cache where it is fresh enough.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::pending::Pending;
use super::shared::Shared;
use super::single_flight::{ReadResult, SingleFlight};
use super::{Wallet, WalletError};
use crate::cache::BalanceCache;
use crate::ledger::{AccountKey, Balance, Decided, Epoch, Freshness, Outcome, Position};
use crate::store::{StoreError, StoreErrorKind};

/// The cache, its write-behind queue and its reads in flight.
#[derive(Debug)]
pub(super) struct Cached {
    pub(super) cache: Arc<dyn BalanceCache>,
    pub(super) pending: Pending,
    single_flight: Arc<SingleFlight>,
}

impl Cached {
    pub(super) fn new(cache: Arc<dyn BalanceCache>) -> Self {
        Self {
            cache,
            pending: Pending::default(),
            single_flight: Arc::default(),
        }
    }
}

type Balances = BTreeMap<AccountKey, Option<Balance>>;

/// Reads that a cache can answer.
impl Wallet {
    /// Returns the balance of an account; `None` when there is none.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// use std::{sync::Arc, time::Duration};
    /// use wallet_core::memory::{MemoryCache, MemoryStore};
    /// use wallet_core::{
    ///     Currency, IdempotencyKey, OpenAccount, Owner, Request, SystemClock, Wallet,
    /// };
    /// use wallet_core::ledger::Freshness;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// let clock = Arc::new(SystemClock);
    /// let cache = MemoryCache::new(clock.clone(), Duration::from_secs(60), 10_000);
    /// let wallet = Wallet::builder(MemoryStore::new(clock)).cache(Arc::new(cache)).spawn()?;
    ///
    /// let open = OpenAccount::new(Owner::new("ada")?, Currency::iso("EUR")?);
    /// let request = Request::new(IdempotencyKey::parse("docs", "open")?, open);
    /// let opened = wallet.submit(request).await?;
    /// let account = opened.account().expect("it was opened").key();
    ///
    /// // Read-your-writes: pass on the positions of an earlier result.
    /// let own = Freshness::AtLeast(opened.positions());
    /// let balance = wallet.balance(account, &own).await?;
    /// assert_eq!(balance.map(|balance| balance.posted().minor), Some(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`balances`](Self::balances).
    pub async fn balance(
        &self,
        account: impl Into<AccountKey>,
        freshness: &Freshness,
    ) -> Result<Option<Balance>, WalletError> {
        let found = self.balances(&[account.into()], freshness).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// Returns balances in the order of `accounts`, at least as fresh as
    /// `freshness`; `None` where there is no account. Each balance is of some
    /// committed state. Cache misses are read from the ledger. Concurrent misses
    /// share one read (single-flight). If the cache fails, the ledger answers.
    ///
    /// # Errors
    /// [`WalletError::Store`]; `Unavailable` where the ledger itself has not
    /// reached the position of [`Freshness::AtLeast`].
    pub async fn balances(
        &self,
        accounts: &[AccountKey],
        freshness: &Freshness,
    ) -> Result<Vec<Option<Balance>>, WalletError> {
        let mut found = Balances::new();
        let mut wanted: Vec<AccountKey> = accounts.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        match (&self.shared.cached, freshness) {
            (Some(cached), Freshness::Cached | Freshness::AtLeast(_)) => {
                let present = self.shared.present_epoch().await;
                let left = self.look_up(cached, &wanted, freshness, present, &mut found);
                wanted = left.await;
                self.read_through(cached, wanted, freshness, &mut found)
                    .await?;
            }
            (None, _) | (_, Freshness::Strong) => {
                for (account, balance) in self.read(&wanted).await? {
                    self.is_fresh(account, balance, freshness)?;
                    found.insert(account, balance);
                }
            }
        }
        let each = accounts.iter();
        Ok(each.map(|key| found.get(key).copied().flatten()).collect())
    }

    /// Updates the cache and notifies waiting relays after a commit of the host's
    /// own transaction. Call it only after that commit.
    pub fn after_commit(&self, decided: &[Decided]) {
        let fresh = decided.iter().filter_map(|one| {
            let Decided::Fresh(outcome) = one else {
                return None;
            };
            Some(&**outcome)
        });
        self.shared.note_outcomes(fresh);
        self.shared.signal.notify();
    }

    /// Takes fresh balances from the cache and returns the rest of the accounts. A
    /// balance of an earlier epoch than the current one may be lost, whatever its
    /// version is.
    async fn look_up(
        &self,
        cached: &Cached,
        accounts: &[AccountKey],
        freshness: &Freshness,
        present: Epoch,
        found: &mut Balances,
    ) -> Vec<AccountKey> {
        let shared = &self.shared;
        let mut left = accounts.to_vec();
        let mut accept = |left: &mut Vec<AccountKey>, balances: Vec<Option<Balance>>| {
            let mut balances = balances.into_iter();
            left.retain(|account| {
                let Some(Some(balance)) = balances.next() else {
                    return true;
                };
                let is_good = balance.account == *account
                    && balance.epoch >= present
                    && balance.position() >= freshness.least(*account);
                if is_good {
                    found.insert(*account, Some(balance));
                }
                !is_good
            });
        };
        let pending = cached.pending.find(&left, shared.clock.now());
        accept(&mut left, pending);
        if !left.is_empty() {
            let get = AssertUnwindSafe(cached.cache.get(&left)).catch_unwind();
            match get.await {
                Ok(Ok(balances)) => accept(&mut left, balances),
                Ok(Err(_)) | Err(_) => shared.stats.cache_failures.add(1),
            }
        }
        let (all, missed) = (accounts.len(), left.len());
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        shared.stats.cache_misses.add(count(missed));
        shared
            .stats
            .cache_hits
            .add(count(all.saturating_sub(missed)));
        left
    }

    /// Reads the accounts that no other caller is reading, and waits for the other
    /// reads.
    async fn read_through(
        &self,
        cached: &Cached,
        mut wanted: Vec<AccountKey>,
        freshness: &Freshness,
        found: &mut Balances,
    ) -> Result<(), WalletError> {
        // A read that began before this call may be too old for it. A later read is fresh
        // enough.
        let mut may_be_old = true;
        while !wanted.is_empty() {
            let (mut lead, others) = cached.single_flight.join(&wanted);
            wanted.clear();
            let own = lead.accounts();
            if !own.is_empty() {
                let read = self.read(&own).await;
                for account in own {
                    let landed: ReadResult = match &read {
                        Ok(read) => Ok(read.get(&account).copied().flatten()),
                        Err(error) => Err(error.clone()),
                    };
                    lead.complete(account, &landed);
                }
                for (account, balance) in read? {
                    self.is_fresh(account, balance, freshness)?;
                    found.insert(account, balance);
                }
            }
            for (account, passenger) in others {
                match passenger.result().await {
                    Some(landed) => {
                        let balance = landed?;
                        match self.is_fresh(account, balance, freshness) {
                            Ok(()) => {
                                found.insert(account, balance);
                            }
                            Err(_) if may_be_old => wanted.push(account),
                            Err(error) => return Err(error),
                        }
                    }
                    None => wanted.push(account),
                }
            }
            may_be_old = false;
        }
        Ok(())
    }

    /// Reads from the ledger, and queues the balances for the cache.
    async fn read(&self, accounts: &[AccountKey]) -> Result<Balances, WalletError> {
        if accounts.is_empty() {
            return Ok(Balances::new());
        }
        let balances = self.shared.store.balances(accounts).await?;
        for balance in balances.iter().flatten() {
            self.shared.present.learn(balance.epoch);
        }
        let known = balances.iter().flatten().copied().collect();
        self.shared.note(known);
        Ok(accounts.iter().copied().zip(balances).collect())
    }

    /// Refuses balances that are older than requested. A missing account was
    /// missing in the known epoch, because a restore may have lost it.
    fn is_fresh(
        &self,
        account: AccountKey,
        balance: Option<Balance>,
        freshness: &Freshness,
    ) -> Result<(), WalletError> {
        let missing = || Position::new(self.shared.present.known(), 0);
        let position = balance.map_or_else(missing, |balance| balance.position());
        if position >= freshness.least(account) {
            return Ok(());
        }
        let context = "the books are behind the versions asked for";
        Err(StoreError::new(StoreErrorKind::Unavailable, context).into())
    }
}

impl Shared {
    /// Queues balances for the cache, if there is one.
    fn note(&self, balances: Vec<Balance>) {
        if !balances.is_empty() {
            self.note_each(|note| balances.into_iter().for_each(note));
        }
    }

    /// Queues the balances of committed outcomes for the cache.
    pub(super) fn note_outcomes<'o>(&self, outcomes: impl Iterator<Item = &'o Outcome>) {
        let mut outcomes = outcomes.peekable();
        if outcomes.peek().is_some() {
            self.note_each(|note| {
                outcomes.for_each(|outcome| {
                    self.present.learn(outcome.epoch);
                    outcome.each_balance(note);
                });
            });
        }
    }

    fn note_each(&self, for_each: impl FnOnce(&mut dyn FnMut(Balance))) {
        if let Some(cached) = &self.cached {
            let left_out = cached.pending.note(self.clock.now(), for_each);
            self.stats.cache_dropped.add(left_out);
        }
    }
}
