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

/// Keeps what the ledger has committed, entry by entry, for as long as it is told
/// to. It decides nothing: what it holds is a copy, and the ledger is right.
///
/// Each row says when the entry before it on its account was made
/// ([`HistoryRow::previous_at`]). That link makes an answer prove itself: two rows
/// with neighbouring sequences have nothing between them, and the first row after
/// a time tells the balance at it, so that a reader need not know how far history
/// has come ([`balance_at`](crate::history::balance_at)).
///
/// The books may go back to an earlier state. Each row names the epoch in which its
/// writer knew the books to hold the entry ([`HistoryRow::known_in`]). Whoever reads
/// tells the restores that the books went through, which the ledger knows
/// ([`Epochs::all_restores`](crate::ledger::Epochs::all_restores)); a row that they leave in
/// doubt ([`HistoryRow::is_held`]) is superseded: it stays, and
/// [`superseded`](Self::superseded) alone reads it.
///
/// All errors are [`StoreError`]s; `Unavailable`, `Corrupt` and `Internal` can
/// come from any method.
#[async_trait]
pub trait HistoryStore: Debug + Send + Sync + 'static {
    /// Writes lines, those of an account in ascending order without a gap, those
    /// of different accounts in any. When it returns, all of them are durable;
    /// lines that history holds already are compared and left as they are, so that
    /// writing twice is writing once.
    ///
    /// `restores` are all that the books went through, none for books that never went
    /// back: the books hold the lines after them. Ask the ledger for them before you
    /// read the lines, never after.
    ///
    /// On an error some of the lines may be written: those of an account up to
    /// some sequence count, those behind it are as good as absent. Write the same
    /// again.
    ///
    /// # Errors
    /// - [`HistoryError::Gap`]: an account's lines do not begin where its history
    ///   ends. Nothing of that call was written; write what is missing first.
    /// - [`HistoryError::Differs`]: history holds another line under that
    ///   sequence. Nothing of that call was written.
    /// - [`HistoryError::Epoch`]: an account's history is of another epoch than that
    ///   of the last of `restores`. What that call wrote is superseded where it is in
    ///   doubt.
    /// - [`HistoryError::Store`] of kind `Invalid`: an account's lines are not in
    ///   order, go back in time, or are of a later epoch. Nothing of that call was
    ///   written.
    async fn append(&self, lines: &[HistoryLine], restores: &[Restore])
    -> Result<(), HistoryError>;

    /// Takes note that the books went through these restores, all of them: the history
    /// of each account goes on, in the epoch of the last of them, behind the last row
    /// that they do not leave in doubt. What the books still hold of what is
    /// superseded by that has to be appended again.
    ///
    /// An account whose history is of that epoch or a later one is left as it is, so
    /// that doing it twice is doing it once. An account without rows is noted, too:
    /// who knows an earlier epoch writes nothing to it any more.
    ///
    /// # Errors
    /// None of its own. Some of the accounts may be done: call again.
    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError>;

    /// How far the history of each account has come without a gap, in the order
    /// asked, as often as it is asked for.
    ///
    /// # Errors
    /// None of its own.
    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError>;

    /// A page of an account's rows that books hold after these restores. Behind the
    /// account's head there may be rows with gaps between them: look at their links.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another query.
    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError>;

    /// The rows of a transfer that books hold after these restores, by leg, the debit
    /// first; none when history does not know it. A store may take a moment to find
    /// what was just written.
    ///
    /// # Errors
    /// None of its own.
    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError>;

    /// A page of the rows of all transfers with some reference that books hold after
    /// these restores: by time, then transfer, then leg, the debit first. A store may
    /// take a moment to find what was just written.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another query.
    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError>;

    /// A page of an account's rows that these restores leave in doubt: what was lost,
    /// and what came again since and is in [`page`](Self::page) too.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another query.
    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError>;

    /// Lets rows go some time after `at`; until then they are read as before. Rows
    /// that it does not hold are left alone. The last row of an account has to
    /// stay: history goes on from it.
    ///
    /// # Errors
    /// None of its own.
    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError>;
}
