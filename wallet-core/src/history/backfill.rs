use crate::history::{HistoryError, HistoryHead, HistoryLine, HistoryStore};
use crate::ledger::{Account, Restore};
use crate::store::{AccountQuery, EntryQuery, LedgerStore, StoreError};

use super::fill::heads_in;
use super::lines_of;

/// The number of accounts that are read together.
const ACCOUNTS: u32 = 200;
/// The number of entries that are read at a time.
const ENTRIES: u32 = 1_000;
/// The number of lines that are buffered before they are written.
const LINES: usize = 2_000;

/// Copies the ledger's entries into history, from nothing or from wherever history
/// ends. It may be stopped at any time and started again. Others may write to the
/// ledger and to history meanwhile. Entries that are committed after the backfill
/// has read their account are not copied.
///
/// After a restore of the ledger's database it repairs history. It supersedes the
/// rows in doubt of every account, and copies again the entries that the ledger
/// still holds.
///
/// At most a few thousand lines are in memory.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::SystemClock;
/// use wallet_core::history::Backfill;
/// use wallet_core::memory::{MemoryHistory, MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ledger = MemoryStore::new(Arc::new(SystemClock));
/// let history = MemoryHistory::new();
/// let report = Backfill::new(&history, &ledger).run(&mut |_| ()).await?;
/// assert_eq!(report.written, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Backfill<'a> {
    history: &'a dyn HistoryStore,
    ledger: &'a dyn LedgerStore,
}

/// The progress of a backfill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackfillProgress {
    /// The number of entries in history, of the entries that existed at the
    /// beginning.
    pub done: u64,
    /// The number of entries at the beginning; `None` while they are counted.
    pub total: Option<u64>,
}

/// The result of a backfill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackfillReport {
    /// The number of accounts that were read.
    pub accounts: u64,
    /// The number of lines written.
    pub written: u64,
    /// The number of lines that history already held.
    pub held: u64,
    /// The number of accounts whose history was of an earlier epoch.
    pub restored: u64,
}

type OnProgress<'a> = &'a mut (dyn FnMut(BackfillProgress) + Send);

impl<'a> Backfill<'a> {
    /// A backfill from `ledger` into `history`.
    #[must_use]
    pub const fn new(history: &'a dyn HistoryStore, ledger: &'a dyn LedgerStore) -> Self {
        Self { history, ledger }
    }

    /// Runs the backfill. It reports its progress to `on_progress`.
    ///
    /// # Errors
    /// The errors of both stores. [`HistoryError::Epoch`] where the ledger's
    /// database was restored meanwhile: start again. Written lines stay.
    pub async fn run(&self, on_progress: OnProgress<'_>) -> Result<BackfillReport, HistoryError> {
        let mut work = Work {
            from: *self,
            on_progress,
            total: None,
            lines: Vec::with_capacity(LINES),
            restores: Vec::new(),
            report: BackfillReport::default(),
        };
        work.total = Some(work.count().await?);
        work.accounts().await?;
        Ok(work.report)
    }
}

struct Work<'a, 'b> {
    from: Backfill<'a>,
    on_progress: OnProgress<'b>,
    total: Option<u64>,
    /// Lines that were read and are not yet written.
    lines: Vec<HistoryLine>,
    /// The restores that were known before the lines were read.
    restores: Vec<Restore>,
    report: BackfillReport,
}

impl Work<'_, '_> {
    async fn count(&mut self) -> Result<u64, StoreError> {
        let mut total: u64 = 0;
        for ledger in self.from.ledger.ledgers().await? {
            let mut query = every(ledger);
            loop {
                let page = self.from.ledger.list_accounts(&query).await?;
                let Some(last) = page.last() else { break };
                query.after = Some(last.state.key.id);
                total = page.iter().map(entries).fold(total, u64::saturating_add);
                (self.on_progress)(BackfillProgress::default());
            }
        }
        Ok(total)
    }

    async fn accounts(&mut self) -> Result<(), HistoryError> {
        for ledger in self.from.ledger.ledgers().await? {
            let mut query = every(ledger);
            loop {
                let page = self.from.ledger.list_accounts(&query).await?;
                let Some(last) = page.last() else { break };
                query.after = Some(last.state.key.id);
                self.page(&page).await?;
            }
        }
        self.write().await
    }

    async fn page(&mut self, accounts: &[Account]) -> Result<(), HistoryError> {
        let used = accounts.iter().filter(|account| account.state.sequence > 0);
        let used: Vec<&Account> = used.collect();
        let keys: Vec<_> = used.iter().map(|account| account.state.key).collect();
        let restores = self.from.ledger.epochs().await?.all_restores();
        if restores != self.restores {
            self.write().await?;
            self.restores = restores;
        }
        let before = self.from.history.heads(&keys).await?;
        let current = Restore::current(&self.restores);
        let is_restored = |head: &&HistoryHead| head.sequence > 0 && head.epoch < current;
        let count = before.iter().filter(is_restored).count();
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.report.restored = self.report.restored.saturating_add(count);
        let heads = heads_in(self.from.history, &keys, &self.restores).await?;
        for (account, head) in used.into_iter().zip(heads) {
            let held = u64::try_from(head.sequence)
                .unwrap_or(0)
                .min(entries(account));
            self.report.held = self.report.held.saturating_add(held);
            self.account(account, head.sequence).await?;
        }
        let count = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
        self.report.accounts = self.report.accounts.saturating_add(count);
        Ok(())
    }

    async fn account(&mut self, account: &Account, held: i64) -> Result<(), HistoryError> {
        let mut last = held;
        while last < account.state.sequence {
            let mut query = EntryQuery::first(account.state.key, ENTRIES);
            query.after = Some(last);
            let entries = self.from.ledger.entries(&query).await?;
            let Some(newest) = entries.last() else { break };
            last = newest.sequence;
            let lines = lines_of(self.from.ledger, &entries).await?;
            self.lines.extend(lines);
            if self.lines.len() >= LINES {
                self.write().await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), HistoryError> {
        let (lines, restores) = (&self.lines, &self.restores);
        self.from.history.append(lines, restores).await?;
        let count = u64::try_from(self.lines.len()).unwrap_or(u64::MAX);
        self.report.written = self.report.written.saturating_add(count);
        self.lines.clear();
        let done = self.report.written.saturating_add(self.report.held);
        let total = self.total.map(|total| total.max(done));
        (self.on_progress)(BackfillProgress { done, total });
        Ok(())
    }
}

fn entries(account: &Account) -> u64 {
    u64::try_from(account.state.sequence).unwrap_or(0)
}

const fn every(ledger: crate::ledger::LedgerId) -> AccountQuery {
    AccountQuery {
        ledger,
        owner: None,
        currency: None,
        after: None,
        limit: ACCOUNTS,
    }
}
