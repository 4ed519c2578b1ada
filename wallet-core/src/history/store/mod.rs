//! The history of accounts, kept for ever beside the ledger.

mod cursor;
mod error;
mod line;
mod query;

pub use cursor::HistoryCursor;
pub use error::HistoryError;
pub use line::{HistoryHead, HistoryLine, HistoryRow};
pub use query::{HistoryPage, HistoryQuery, LinePosition, ReferenceHistoryQuery};

use std::fmt::Debug;

use async_trait::async_trait;

use crate::ledger::{AccountKey, Restore, Timestamp, TransferKey};
use crate::store::StoreError;

/// A store of committed entries, for as long as the host wants. It decides nothing:
/// its rows are copies, and the ledger is authoritative.
///
/// Each row has the time of the previous entry of its account
/// ([`HistoryRow::previous_at`]). This link makes an answer provable: two rows with
/// neighbouring sequences have no entry between them. The first row after a time
/// contains the balance at that time. So a reader does not need to know how far
/// history has come ([`balance_at`](crate::history::balance_at)).
///
/// A ledger may be restored to an earlier state. Each row names the epoch in which
/// its writer knew that the ledger holds the entry ([`HistoryRow::known_in`]). A
/// reader passes the restores of the ledger, which it reads from the ledger
/// ([`Epochs::all_restores`](crate::ledger::Epochs::all_restores)). A row that they
/// leave in doubt ([`HistoryRow::is_held`]) is superseded. It stays in the store,
/// and only [`superseded`](Self::superseded) reads it.
///
/// All errors are [`StoreError`]s. Any method may return `Unavailable`, `Corrupt`
/// and `Internal`.
#[async_trait]
pub trait HistoryStore: Debug + Send + Sync + 'static {
    /// Writes lines. The lines of one account are in ascending order without a gap;
    /// accounts may come in any order. When the call returns, all lines are
    /// durable. Lines that history already holds are compared and left unchanged,
    /// so the call is idempotent.
    ///
    /// `restores` are all restores of the ledger; none for a ledger that was never
    /// restored. The ledger holds the lines after these restores. Read the restores
    /// from the ledger before the lines, never after them.
    ///
    /// After an error some of the lines may be written. Lines of an account up to
    /// some sequence are valid, and later ones count as absent. Write the same
    /// lines again.
    ///
    /// # Errors
    /// - [`HistoryError::Gap`]: an account's lines do not start where its history
    ///   ends. Nothing of that call was written. Write the missing lines first.
    /// - [`HistoryError::Differs`]: history holds another line under that
    ///   sequence. Nothing of that call was written.
    /// - [`HistoryError::Epoch`]: the epoch of an account's history is not that of
    ///   the last of `restores`. Lines that the call wrote are superseded where
    ///   they are in doubt.
    /// - [`HistoryError::Store`] of kind `Invalid`: an account's lines are not in
    ///   order, go back in time, or are of a later epoch. Nothing of that call was
    ///   written.
    async fn append(&self, lines: &[HistoryLine], restores: &[Restore])
    -> Result<(), HistoryError>;

    /// Records that the ledger went through exactly these restores. The history of
    /// each account continues in the epoch of the last restore, after the last row
    /// that is not in doubt. Entries in superseded rows that the ledger still holds
    /// must be appended again.
    ///
    /// The call is idempotent: it does not change an account whose history is of
    /// that epoch or a later one. An account without rows is recorded too, so that
    /// a writer with an earlier epoch can write nothing to it.
    ///
    /// # Errors
    /// Only the errors that any method may return. Some of the accounts may be
    /// done: call again.
    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError>;

    /// Returns the end of each account's history without a gap, in the order of
    /// `accounts`. A repeated account gets a repeated answer.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError>;

    /// Returns a page of an account's rows that the ledger holds after these
    /// restores. Rows after the account's head may have gaps between them: check
    /// their links.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another query.
    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError>;

    /// Returns the rows of a transfer that the ledger holds after these restores,
    /// by leg, the debit first. It is empty when history does not have the
    /// transfer. A store may find new rows only after a moment.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError>;

    /// Returns a page of the rows of all transfers with this reference that the
    /// ledger holds after these restores. Rows are ordered by time, then transfer,
    /// then leg, the debit first. A store may find new rows only after a moment.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another query.
    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError>;

    /// Returns a page of an account's rows that these restores leave in doubt.
    /// These are lost entries, and entries that were appended again and are also in
    /// [`page`](Self::page).
    ///
    /// # Errors
    /// `Invalid` for a cursor of another query.
    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError>;

    /// Lets rows expire some time after `at`. Until then they can be read. Unknown
    /// rows are ignored. The last row of an account must stay, because history
    /// continues from it.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError>;
}
