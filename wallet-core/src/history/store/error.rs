use thiserror::Error;

use crate::ledger::{AccountKey, Epoch, Sequence};
use crate::store::StoreError;

/// Why lines were not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// An account's lines do not begin where its history ends.
    #[error("history of {account} goes on with entry {expected}, not {found}")]
    Gap {
        /// Whose.
        account: AccountKey,
        /// The sequence that comes next.
        expected: Sequence,
        /// The one that was to be written.
        found: Sequence,
    },
    /// History holds another line under the same sequence: it was written by
    /// somebody who read another ledger, or changed since. Stop and look.
    #[error("history of {account} holds another entry {sequence}")]
    Differs {
        /// Whose.
        account: AccountKey,
        /// Which one.
        sequence: Sequence,
    },
    /// The writer knows another epoch of the books than history does. Ask the ledger
    /// for its epochs. Where history's is the earlier one,
    /// [`supersede`](crate::history::HistoryStore::supersede); where it is the later one, what
    /// is to be written may be lost. Read the ledger again in either case.
    #[error("history of {account} is of epoch {history}, what is to be written of {writer}")]
    Epoch {
        /// Whose.
        account: AccountKey,
        /// The epoch of the account's history.
        history: Epoch,
        /// The epoch that the writer knows.
        writer: Epoch,
    },
    /// The store failed, or the lines are not in order (`Invalid`).
    #[error(transparent)]
    Store(#[from] StoreError),
}
