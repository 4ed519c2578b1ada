use super::{HistoryCursor, HistoryRow};
use crate::ledger::{AccountKey, Direction, LedgerId, Reference, Sequence, Timestamp, TransferId};
use crate::store::{Order, StoreError};

/// Which rows of an account to read: by sequence, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Whose.
    pub account: AccountKey,
    /// Only those at this time or later.
    pub from: Option<Timestamp>,
    /// Only those before this time.
    pub to: Option<Timestamp>,
    /// Oldest or newest first.
    pub order: Order,
    /// Where the page before ended.
    pub cursor: Option<HistoryCursor>,
    /// How many at most; 0 gives none.
    pub limit: u32,
}

impl HistoryQuery {
    /// The first `limit` rows of `account`, the oldest first.
    #[must_use]
    pub const fn first(account: AccountKey, limit: u32) -> Self {
        Self {
            account,
            from: None,
            to: None,
            order: Order::Ascending,
            cursor: None,
            limit,
        }
    }

    /// Where the cursor points to.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid` for a cursor of another query.
    pub fn after(&self) -> Result<Option<(Timestamp, Sequence)>, StoreError> {
        let cursor = self.cursor.as_ref();
        cursor
            .map(|cursor| cursor.of_account(self.account, self.order))
            .transpose()
    }

    /// The cursor behind a row of this query.
    #[must_use]
    pub fn cursor_behind(&self, at: Timestamp, sequence: Sequence) -> HistoryCursor {
        HistoryCursor::behind(self.account, self.order, at, sequence)
    }

    /// A page of this query: rows as they were found.
    #[must_use]
    pub fn page(&self, rows: Vec<HistoryRow>) -> HistoryPage {
        let last = rows.last().map(|row| &row.line.entry);
        let next = last.map(|entry| self.cursor_behind(entry.created_at, entry.sequence));
        let next = next.or_else(|| self.cursor.clone());
        HistoryPage { rows, next }
    }
}

/// Rows, and where they end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// The rows; none at the end.
    pub rows: Vec<HistoryRow>,
    /// The cursor for what comes behind them, now or later: that of the query when
    /// there are none.
    pub next: Option<HistoryCursor>,
}

/// Which rows to read by the host's reference: oldest first, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceHistoryQuery {
    /// The set of books.
    pub ledger: LedgerId,
    /// The host's reference.
    pub reference: Reference,
    /// Where the page before ended.
    pub cursor: Option<HistoryCursor>,
    /// How many at most; 0 gives none.
    pub limit: u32,
}

/// What the rows of a reference are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinePosition {
    /// The transfer's time.
    pub at: Timestamp,
    /// The transfer.
    pub transfer: TransferId,
    /// The index of its leg.
    pub leg: u16,
    /// 0 for the debit, 1 for the credit.
    pub side: u8,
}

impl LinePosition {
    /// Where a row stands.
    #[must_use]
    pub const fn of(row: &HistoryRow) -> Self {
        let entry = &row.line.entry;
        Self {
            at: entry.created_at,
            transfer: entry.transfer,
            leg: entry.leg,
            side: match entry.direction {
                Direction::Debit => 0,
                Direction::Credit => 1,
            },
        }
    }
}

impl ReferenceHistoryQuery {
    /// The first `limit` rows.
    #[must_use]
    pub const fn first(ledger: LedgerId, reference: Reference, limit: u32) -> Self {
        Self {
            ledger,
            reference,
            cursor: None,
            limit,
        }
    }

    /// Where the cursor points to.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid` for a cursor of another query.
    pub fn after(&self) -> Result<Option<LinePosition>, StoreError> {
        let cursor = self.cursor.as_ref();
        cursor
            .map(|cursor| cursor.of_reference(self.ledger, &self.reference))
            .transpose()
    }

    /// A page of this query: rows as they were found.
    #[must_use]
    pub fn page(&self, rows: Vec<HistoryRow>) -> HistoryPage {
        let last = rows.last().map(LinePosition::of);
        let next = last.map(|last| HistoryCursor::in_reference(self.ledger, &self.reference, last));
        let next = next.or_else(|| self.cursor.clone());
        HistoryPage { rows, next }
    }
}
