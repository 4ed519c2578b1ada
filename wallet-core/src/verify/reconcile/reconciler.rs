use futures_util::stream::{self, StreamExt, TryStreamExt};
use thiserror::Error;

use super::account::{Checked, Checker};
use super::{CacheTally, Difference, HistoryTally, Reconciliation, pending};
use crate::cache::BalanceCache;
use crate::history::{HistoryHead, HistoryStore};
use crate::ledger::{Account, AccountKey, Balance, Epoch, Epochs, LedgerId, Position, Timestamp};
use crate::store::{AccountQuery, LedgerStore, StoreError};

/// The number of accounts that are read together.
const ACCOUNTS: u32 = 500;
/// The greatest number of differences in the report.
const KEPT: usize = 1_000;

/// Compares a ledger with itself, its history and its cache, during normal
/// operation.
///
/// # Cost
/// One pass over all accounts for the sums. One read for each page of accounts and
/// their open holds. One or more reads per account and store for its entries,
/// [several](Self::with_calls) at a time. At most one page of accounts is in
/// memory, and one page of entries for each account that is being compared.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::SystemClock;
/// use wallet_core::memory::{MemoryHistory, MemoryStore};
/// use wallet_core::verify::reconcile::Reconciler;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ledger = MemoryStore::new(Arc::new(SystemClock));
/// let history = MemoryHistory::new();
/// let report = Reconciler::new(&ledger)
///     .with_history(&history)
///     .run(&mut |_| ())
///     .await?;
/// assert!(report.is_clean());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Reconciler<'a> {
    ledger: &'a dyn LedgerStore,
    history: Option<&'a dyn HistoryStore>,
    cache: Option<&'a dyn BalanceCache>,
    expired_before: Option<Timestamp>,
    due: Option<Timestamp>,
    last: Option<u32>,
    calls: usize,
}

/// The progress of a reconciliation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReconcileProgress {
    /// The number of compared accounts.
    pub done: u64,
    /// The number of accounts at the beginning; `None` while they are counted.
    pub total: Option<u64>,
}

/// The reason why the comparison failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The ledger failed.
    #[error("the ledger: {0}")]
    Ledger(#[source] StoreError),
    /// History failed.
    #[error("history: {0}")]
    History(#[source] StoreError),
    /// The cache failed.
    #[error("the cache: {0}")]
    Cache(#[source] StoreError),
}

impl<'a> Reconciler<'a> {
    /// Compares the ledger with itself: the sums, each balance with all of its
    /// entries, and the pending counters with the open holds.
    #[must_use]
    pub const fn new(ledger: &'a dyn LedgerStore) -> Self {
        Self {
            ledger,
            history: None,
            cache: None,
            expired_before: None,
            due: None,
            last: None,
            calls: 8,
        }
    }

    /// Compares the history too.
    #[must_use]
    pub const fn with_history(mut self, history: &'a dyn HistoryStore) -> Self {
        self.history = Some(history);
        self
    }

    /// Compares the cache too. A missing balance or an earlier version is no
    /// difference.
    #[must_use]
    pub const fn with_cache(mut self, cache: &'a dyn BalanceCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets the expiry bound: lines before `at` may have expired. A missing expired
    /// line is no difference.
    #[must_use]
    pub const fn with_expired_before(mut self, at: Timestamp) -> Self {
        self.expired_before = Some(at);
        self
    }

    /// Requires that history has every entry before `at`. Otherwise history may be
    /// behind by any amount.
    #[must_use]
    pub const fn with_history_due(mut self, at: Timestamp) -> Self {
        self.due = Some(at);
        self
    }

    /// Compares only the last `entries` entries of each account, and history as far
    /// as they go. It is for more frequent runs.
    #[must_use]
    pub fn with_last(mut self, entries: u32) -> Self {
        self.last = Some(entries.max(1));
        self
    }

    /// Sets the number of accounts that are compared at a time; 8 by default.
    #[must_use]
    pub fn with_calls(mut self, calls: usize) -> Self {
        self.calls = calls.max(1);
        self
    }

    /// Runs the comparison and reports its progress to `on_progress`.
    ///
    /// # Errors
    /// [`ReconcileError`]: the comparison failed.
    pub async fn run(
        &self,
        on_progress: &mut (dyn FnMut(ReconcileProgress) + Send),
    ) -> Result<Reconciliation, ReconcileError> {
        let mut report = Reconciliation {
            history: self.history.map(|_| HistoryTally::default()),
            cache: self.cache.map(|_| CacheTally::default()),
            ..Reconciliation::default()
        };
        on_progress(ReconcileProgress::default());
        // The epochs are read before any account. So every account is of this epoch or a
        // later one.
        let epochs = self.ledger.epochs().await;
        let epochs = epochs.map_err(ReconcileError::Ledger)?;
        let ledgers = self.ledger.ledgers().await;
        let ledgers = ledgers.map_err(ReconcileError::Ledger)?;
        for ledger in &ledgers {
            self.sums(*ledger, &mut report).await?;
        }
        let sums = report.sums.iter();
        let total = sums.fold(0, |total: u64, (_, sum)| total.saturating_add(sum.accounts));
        for ledger in ledgers {
            let mut query = AccountQuery {
                ledger,
                owner: None,
                currency: None,
                after: None,
                limit: ACCOUNTS,
            };
            loop {
                let page = self.ledger.list_accounts(&query).await;
                let page = page.map_err(ReconcileError::Ledger)?;
                let Some(last) = page.last() else { break };
                query.after = Some(last.state.key.id);
                self.page(&page, &epochs, &mut report).await?;
                let done = report.accounts;
                let total = Some(total.max(done));
                on_progress(ReconcileProgress { done, total });
            }
        }
        Ok(report)
    }

    async fn sums(
        &self,
        ledger: LedgerId,
        report: &mut Reconciliation,
    ) -> Result<(), ReconcileError> {
        let sums = self.ledger.trial_balance(ledger).await;
        for sum in sums.map_err(ReconcileError::Ledger)? {
            if !sum.is_even() {
                let (currency, posted) = (sum.currency, sum.posted);
                let difference = Difference::NotEven {
                    ledger,
                    currency,
                    posted,
                };
                note(report, difference);
            }
            report.sums.push((ledger, sum));
        }
        Ok(())
    }

    async fn page(
        &self,
        accounts: &[Account],
        epochs: &Epochs,
        report: &mut Reconciliation,
    ) -> Result<(), ReconcileError> {
        let keys: Vec<AccountKey> = accounts.iter().map(|account| account.state.key).collect();
        let heads = match self.history {
            None => vec![HistoryHead::default(); keys.len()],
            Some(history) => history
                .heads(&keys)
                .await
                .map_err(ReconcileError::History)?,
        };
        let restores = epochs.all_restores();
        let checker = Checker {
            ledger: self.ledger,
            restores: &restores,
            history: self.history,
            expired_before: self.expired_before,
            due: self.due,
            last: self.last,
        };
        let each = accounts.iter().zip(heads);
        let each = each.map(|(account, head)| checker.check(&account.state, head));
        let all = stream::iter(each.collect::<Vec<_>>()).buffered(self.calls);
        let all: Vec<Checked> = all.try_collect().await?;
        for one in all {
            report.accounts = report.accounts.saturating_add(1);
            report.entries = report.entries.saturating_add(one.entries);
            if let Some(tally) = &mut report.history {
                tally.add(one.history);
            }
            for difference in one.differences {
                note(report, difference);
            }
        }
        for difference in pending::differences(self.ledger, &keys).await? {
            note(report, difference);
        }
        self.cache(accounts, &keys, epochs.current(), report).await
    }

    async fn cache(
        &self,
        accounts: &[Account],
        keys: &[AccountKey],
        epoch: Epoch,
        report: &mut Reconciliation,
    ) -> Result<(), ReconcileError> {
        let Some(cache) = self.cache else {
            return Ok(());
        };
        let cached = cache.get(keys).await.map_err(ReconcileError::Cache)?;
        let mut tally = report.cache.unwrap_or_default();
        let (mut later, mut wrong) = (Vec::new(), Vec::new());
        for (account, cached) in accounts.iter().zip(cached) {
            let balance = Balance::of(&account.state, epoch);
            match cached {
                None => tally.absent = tally.absent.saturating_add(1),
                Some(cached) if cached.position() > balance.position() => later.push(cached),
                Some(cached) => compare(cached, balance, &mut tally, &mut wrong),
            }
        }
        // The ledger may have reached these positions since.
        let again: Vec<AccountKey> = later.iter().map(|cached| cached.account).collect();
        let again = if again.is_empty() {
            Vec::new()
        } else {
            let again = self.ledger.balances(&again).await;
            again.map_err(ReconcileError::Ledger)?
        };
        for (cached, balance) in later.into_iter().zip(again) {
            match balance {
                Some(balance) if cached.position() <= balance.position() => {
                    compare(cached, balance, &mut tally, &mut wrong);
                }
                _ => wrong.push(Difference::CacheAhead {
                    account: cached.account,
                    cached: cached.position(),
                    ledger: balance.map_or(Position::START, |balance| balance.position()),
                }),
            }
        }
        report.cache = Some(tally);
        for difference in wrong {
            note(report, difference);
        }
        Ok(())
    }
}

/// Compares a position that the ledger has reached. A cached balance of an earlier
/// epoch is no difference, because no reader uses it.
fn compare(cached: Balance, balance: Balance, tally: &mut CacheTally, wrong: &mut Vec<Difference>) {
    if (cached.version, cached.counters) == (balance.version, balance.counters) {
        tally.same = tally.same.saturating_add(1);
    } else if cached.position() < balance.position() {
        tally.stale = tally.stale.saturating_add(1);
    } else {
        wrong.push(Difference::CacheWrong {
            account: balance.account,
            currency: balance.currency,
            version: balance.version,
            cached: cached.counters.posted(),
            posted: balance.counters.posted(),
        });
    }
}

fn note(report: &mut Reconciliation, difference: Difference) {
    report.found = report.found.saturating_add(1);
    if report.differences.len() < KEPT {
        report.differences.push(difference);
    }
}
