use std::sync::Arc;

use thiserror::Error;

use super::acknowledged::acknowledged;
use super::books::{Books, Sum, Totals};
use super::events::{Delivered, OutboxReport, events};
use super::progress::{Meter, Progress, Stage};
use super::read::Reader;
use super::{Violation, check_books};
use crate::ledger::{AccountKey, CurrencyCode, LedgerId, Outcome, RecordKey};
use crate::store::{LedgerStore, Outbox, StoreError};

/// Checks every invariant of a store's ledger, through its ports.
///
/// It makes many reads, so nothing may be committed meanwhile. It detects a
/// concurrent commit.
///
/// # Cost
/// All accounts, entries, holds and transfers are held in memory, without the
/// host's texts. This takes at most 550 bytes per transfer of one leg with its two
/// entries, and as much per account. A SQLite file of 500,000 such transfers, half
/// of them on one account, takes 2.5 s per 100,000. Time and memory grow linearly,
/// whatever the size of a single account.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::SystemClock;
/// use wallet_core::verify::{Delivered, Verifier};
/// use wallet_core::memory::MemoryStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new(Arc::new(SystemClock));
/// let mut pages = 0;
/// let mut count = |_| pages += 1;
/// let report = Verifier::new(&store)
///     .with_outbox(&store, Delivered::Nothing)
///     .with_progress(&mut count)
///     .run()
///     .await?;
/// assert_eq!(report.violations, []);
/// assert_eq!(report.totals.accounts, 0);
/// # Ok(())
/// # }
/// ```
pub struct Verifier<'a> {
    store: &'a dyn LedgerStore,
    outbox: Option<(&'a dyn Outbox, Delivered)>,
    acknowledged: &'a [(RecordKey, Arc<Outcome>)],
    page: u32,
    meter: Meter<'a>,
}

impl std::fmt::Debug for Verifier<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("store", &self.store)
            .field("outbox", &self.outbox)
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

impl<'a> Verifier<'a> {
    /// Checks the ledger of `store`, 1,000 rows at a time.
    #[must_use]
    pub fn new(store: &'a dyn LedgerStore) -> Self {
        Self {
            store,
            outbox: None,
            acknowledged: &[],
            page: 1_000,
            meter: Meter(None),
        }
    }

    /// Checks the outbox too. The check holds the lease of the outbox while it
    /// reads, so no relay can deliver meanwhile.
    #[must_use]
    pub fn with_outbox(mut self, outbox: &'a dyn Outbox, delivered: Delivered) -> Self {
        self.outbox = Some((outbox, delivered));
        self
    }

    /// Checks acknowledged outcomes too: they must be recorded unchanged, and the
    /// ledger must contain their effects. Do not use it for records that may have
    /// been purged.
    #[must_use]
    pub const fn with_acknowledged(mut self, outcomes: &'a [(RecordKey, Arc<Outcome>)]) -> Self {
        self.acknowledged = outcomes;
        self
    }

    /// Sets the number of rows per query, at least 1.
    #[must_use]
    pub fn with_page(mut self, rows: u32) -> Self {
        self.page = rows.max(1);
        self
    }

    /// Sets the observer of the progress, which is called page by page.
    #[must_use]
    pub fn with_progress(mut self, on_progress: &'a mut (dyn FnMut(Progress) + Send)) -> Self {
        self.meter = Meter(Some(on_progress));
        self
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    /// [`VerifyError`]: the books could not be verified, whatever they hold.
    pub async fn run(mut self) -> Result<Report, VerifyError> {
        let books = self.read().await?;
        self.meter.report(Stage::Checks, 0, None);
        let mut violations = check_books(&books);
        let recorded = acknowledged(self.store, &books, self.acknowledged, &mut self.meter);
        violations.extend(recorded.await?);
        let mut checked = None;
        if let Some((outbox, delivered)) = self.outbox {
            let (found, report) = events(outbox, &books, delivered, &mut self.meter).await?;
            violations.extend(found);
            checked = Some(report);
            // A commit since the ledger was read would show as violations.
            self.compare(&books).await?;
        }
        Ok(Report {
            violations,
            totals: books.totals(),
            sums: books.sums().into_iter().collect(),
            outbox: checked,
        })
    }

    /// Returns the books that were read, for the host's own checks.
    ///
    /// # Errors
    /// [`VerifyError`]: the books could not be read.
    pub async fn books(mut self) -> Result<Books, VerifyError> {
        self.read().await
    }

    async fn read(&mut self) -> Result<Books, VerifyError> {
        let books = self.reader().books().await?;
        self.compare(&books).await?;
        Ok(books)
    }

    /// Checks that the store still holds the data that was read.
    async fn compare(&mut self, books: &Books) -> Result<(), VerifyError> {
        let accounts = self.reader().changed(books).await?;
        if accounts.is_empty() {
            Ok(())
        } else {
            Err(VerifyError::Changed { accounts })
        }
    }

    fn reader(&mut self) -> Reader<'_, 'a> {
        Reader {
            store: self.store,
            page: self.page,
            meter: &mut self.meter,
        }
    }
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// All violations; empty when the ledger is valid.
    pub violations: Vec<Violation>,
    /// The number of checked rows.
    pub totals: Totals,
    /// The sum of each currency in each ledger.
    pub sums: Vec<((LedgerId, CurrencyCode), Sum)>,
    /// The result for the outbox, where it was to be checked.
    pub outbox: Option<OutboxReport>,
}

/// The reason why a ledger could not be verified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The store failed. `Corrupt` means that it reports its own list of accounts,
    /// or its outbox, as damaged. Other damage is a violation.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger changed while it was read, so the data is not of one state. Stop
    /// all writers, or verify a copy.
    #[error("the books changed while they were read ({} accounts)", accounts.len())]
    Changed {
        /// The accounts that were opened or changed.
        accounts: Vec<AccountKey>,
    },
}
