use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

use crate::ledger::RecordKey;
use crate::request::InvalidRequest;
use crate::store::{StoreError, StoreErrorKind};

/// The reason why a request got no outcome. A refusal by the rules is not an error:
/// it is an [`Outcome`](crate::ledger::Outcome).
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The request can never be carried out in this form. Nothing was read, and the
    /// key is still free.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    /// An item of a bulk request can never be carried out in this form. No item was
    /// read or carried out, and the key is still free.
    #[error("item {index}: {error}")]
    InvalidItem {
        /// The index of the item.
        index: usize,
        /// The error of the item.
        error: InvalidRequest,
    },
    /// The idempotency key was used for another request. Nothing was done.
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    /// The queue is full. Nothing was done. Try again later under the same key.
    #[error("too many requests are waiting")]
    Overloaded,
    /// The service is shutting down or its driver is gone. Nothing was done.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// An account's time is ahead of the store's clock by more than the allowed
    /// bound. Nothing was done. Check the clocks.
    #[error("the store's clock is behind by {ahead_micros} microseconds")]
    ClockBehind {
        /// How far the account's time is ahead, in microseconds.
        ahead_micros: u64,
    },
    /// The result is unknown: the commit may still arrive. Submit the request again
    /// under the same key, or exclude it with
    /// [`Wallet::cancel`](crate::service::Wallet::cancel). Under a new key it may
    /// be carried out twice.
    #[error("whether the request was carried out is not known")]
    Indeterminate {
        /// The key to query.
        key: RecordKey,
        /// The ids of the things that the request creates if it is carried out.
        ids: Vec<Uuid>,
    },
    /// The store failed. Nothing was done.
    #[error("the store failed: {0}")]
    Store(#[source] Arc<StoreError>),
}

impl WalletError {
    /// The stable code, such as `"overloaded"`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) | Self::InvalidItem { .. } => "invalid_request",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::Overloaded => "overloaded",
            Self::ShuttingDown => "shutting_down",
            Self::ClockBehind { .. } => "clock_behind",
            Self::Indeterminate { .. } => "indeterminate",
            Self::Store(error) => match error.kind() {
                StoreErrorKind::Unavailable => "store_unavailable",
                StoreErrorKind::Conflict => "store_conflict",
                StoreErrorKind::Indeterminate => "indeterminate",
                StoreErrorKind::Invalid => "store_refused",
                StoreErrorKind::Corrupt => "store_corrupt",
                StoreErrorKind::Internal => "store_internal",
            },
        }
    }

    /// Whether a retry of the same request under the same key can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::InvalidItem { .. } | Self::IdempotencyMismatch => false,
            Self::Overloaded
            | Self::ShuttingDown
            | Self::ClockBehind { .. }
            | Self::Indeterminate { .. } => true,
            Self::Store(error) => error.is_retryable(),
        }
    }
}

impl From<StoreError> for WalletError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}
