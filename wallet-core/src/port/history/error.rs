use thiserror::Error;

use crate::{AccountKey, Sequence, StoreError};

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
    /// The store failed, or the lines are not in order (`Invalid`).
    #[error(transparent)]
    Store(#[from] StoreError),
}
