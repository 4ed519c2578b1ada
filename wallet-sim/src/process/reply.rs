//! The answers of a process, as a client sees them.

use std::sync::Arc;

use wallet_core::store::StoreErrorKind;
use wallet_core::{Outcome, WalletError};

/// The answer of a process.
#[derive(Debug)]
pub(crate) enum Reply {
    Outcome(Arc<Outcome>),
    /// Nothing was done, with the reason.
    NotDone(String),
    /// The result is unknown.
    Unknown,
    /// The key was used for another request.
    Mismatch,
    /// An answer that must never be given, with the reason.
    Wrong(String),
}

/// Converts an answer to a reply. If `is_concerned`, the answer may be that a row
/// is unreadable.
pub(super) fn reply(answer: Result<Arc<Outcome>, WalletError>, is_concerned: bool) -> Reply {
    let error = match answer {
        Ok(outcome) => return Reply::Outcome(outcome),
        Err(error) => error,
    };
    match &error {
        WalletError::Indeterminate { .. } => Reply::Unknown,
        WalletError::Overloaded | WalletError::ShuttingDown | WalletError::ClockBehind { .. } => {
            Reply::NotDone(error.to_string())
        }
        WalletError::Invalid(_) | WalletError::InvalidItem { .. } => {
            Reply::Wrong(error.to_string())
        }
        WalletError::IdempotencyMismatch => Reply::Mismatch,
        WalletError::Store(store) => match store.kind() {
            StoreErrorKind::Unavailable | StoreErrorKind::Conflict => {
                Reply::NotDone(error.to_string())
            }
            StoreErrorKind::Corrupt if is_concerned => Reply::NotDone(error.to_string()),
            StoreErrorKind::Indeterminate
            | StoreErrorKind::Invalid
            | StoreErrorKind::Corrupt
            | StoreErrorKind::Internal => Reply::Wrong(error.to_string()),
        },
        other => Reply::Wrong(format!("an error that no client knows: {other}")),
    }
}
