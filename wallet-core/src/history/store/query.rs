use super::{HistoryCursor, HistoryRow};
use crate::ledger::{AccountKey, LedgerId, Reference, Sequence, Timestamp, TransferId};
use crate::store::{Order, StoreError};

/// Selects rows of an account by sequence, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The account.
    pub account: AccountKey,
    /// Only rows at this time or later.
    pub from: Option<Timestamp>,
    /// Only rows before this time.
    pub to: Option<Timestamp>,
    /// The order: oldest or newest first.
    pub order: Order,
    /// The cursor at the end of the previous page.
    pub cursor: Option<HistoryCursor>,
    /// The greatest number of rows; 0 selects none.
    pub limit: u32,
}

impl HistoryQuery {
    /// The first `limit` rows of `account`, the oldest first.
    #[must_use]
    pub fn first(account: impl Into<AccountKey>, limit: u32) -> Self {
        Self {
            account: account.into(),
            from: None,
            to: None,
            order: Order::Ascending,
            cursor: None,
            limit,
        }
    }

    /// The position of the cursor.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid` for a cursor of another query.
    pub fn after(&self) -> Result<Option<(Timestamp, Sequence)>, StoreError> {
        let cursor = self.cursor.as_ref();
        cursor
            .map(|cursor| cursor.of_account(self.account, self.order))
            .transpose()
    }

    /// The cursor after a row of this query.
    #[must_use]
    pub fn cursor_behind(&self, at: Timestamp, sequence: Sequence) -> HistoryCursor {
        HistoryCursor::behind(self.account, self.order, at, sequence)
    }

    /// A page of this query with the rows that were found.
    #[must_use]
    pub fn page(&self, rows: Vec<HistoryRow>) -> HistoryPage {
        let last = rows.last().map(|row| &row.line.entry);
        let next = last.map(|entry| self.cursor_behind(entry.created_at, entry.sequence));
        let next = next.or_else(|| self.cursor.clone());
        HistoryPage { rows, next }
    }
}

/// The rows of a page, and the cursor of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// The rows. It is empty at the end.
    pub rows: Vec<HistoryRow>,
    /// The cursor of the next page, for rows that exist now or later. When there
    /// are no rows, it is the query's own cursor.
    pub next: Option<HistoryCursor>,
}

/// Selects rows by the host's reference: oldest first, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceHistoryQuery {
    /// The ledger.
    pub ledger: LedgerId,
    /// The host's reference.
    pub reference: Reference,
    /// The cursor at the end of the previous page.
    pub cursor: Option<HistoryCursor>,
    /// The greatest number of rows; 0 selects none.
    pub limit: u32,
}

/// The sort key of the rows of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinePosition {
    /// The transfer's time.
    pub at: Timestamp,
    /// The transfer.
    pub transfer: TransferId,
    /// The index of the leg.
    pub leg: u16,
    /// 0 for the debit, 1 for the credit.
    pub side: u8,
}

impl LinePosition {
    /// The position of a row.
    #[must_use]
    pub const fn of(row: &HistoryRow) -> Self {
        let entry = &row.line.entry;
        Self {
            at: entry.created_at,
            transfer: entry.transfer,
            leg: entry.leg,
            side: entry.direction.number(),
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

    /// The position of the cursor.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid` for a cursor of another query.
    pub fn after(&self) -> Result<Option<LinePosition>, StoreError> {
        let cursor = self.cursor.as_ref();
        cursor
            .map(|cursor| cursor.of_reference(self.ledger, &self.reference))
            .transpose()
    }

    /// A page of this query with the rows that were found.
    #[must_use]
    pub fn page(&self, rows: Vec<HistoryRow>) -> HistoryPage {
        let last = rows.last().map(LinePosition::of);
        let next = last.map(|last| HistoryCursor::in_reference(self.ledger, &self.reference, last));
        let next = next.or_else(|| self.cursor.clone());
        HistoryPage { rows, next }
    }
}
