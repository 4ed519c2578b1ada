use thiserror::Error;

use crate::ledger::{AccountKey, Epoch, Sequence};
use crate::store::StoreError;

/// The reason why lines were not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// An account's lines do not start where its history ends.
    #[error("history of {account} goes on with entry {expected}, not {found}")]
    Gap {
        /// The account.
        account: AccountKey,
        /// The next expected sequence.
        expected: Sequence,
        /// The sequence of the first given line.
        found: Sequence,
    },
    /// History holds another line under the same sequence. Its writer read another
    /// ledger, or the line was changed since. Stop and investigate.
    #[error("history of {account} holds another entry {sequence}")]
    Differs {
        /// The account.
        account: AccountKey,
        /// The sequence of the line.
        sequence: Sequence,
    },
    /// The writer's epoch differs from the epoch of the account's history. Read the
    /// epochs from the ledger. If history's epoch is the earlier one, call
    /// [`supersede`](crate::history::HistoryStore::supersede). If it is the later
    /// one, the given lines may be lost in the ledger. Read the ledger again in
    /// either case.
    #[error("history of {account} is of epoch {history}, what is to be written of {writer}")]
    Epoch {
        /// The account.
        account: AccountKey,
        /// The epoch of the account's history.
        history: Epoch,
        /// The writer's epoch.
        writer: Epoch,
    },
    /// The store failed, or the lines are not in order (`Invalid`).
    #[error(transparent)]
    Store(#[from] StoreError),
}
