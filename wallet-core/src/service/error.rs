use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

use crate::ledger::RecordKey;
use crate::request::InvalidRequest;
use crate::store::{StoreError, StoreErrorKind};

/// Why a request was not answered with an outcome. A refusal by the rules is no
/// error: it is an [`Outcome`](crate::ledger::Outcome).
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The request can never be carried out as it stands. Nothing was read; the
    /// key is still free.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    /// An item of a bulk request can never be carried out as it stands. Nothing
    /// was read or done, for no item; the key is still free.
    #[error("item {index}: {error}")]
    InvalidItem {
        /// Which item.
        index: usize,
        /// What is wrong with it.
        error: InvalidRequest,
    },
    /// The key was used for something else. Nothing was done.
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    /// The queue is full. Nothing was done; try again later under the same key.
    #[error("too many requests are waiting")]
    Overloaded,
    /// The service is shutting down or its driver is gone. Nothing was done.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// An account's time runs ahead of the store's clock by more than is
    /// allowed. Nothing was done; look at the clocks.
    #[error("the store's clock is behind by {ahead_micros} microseconds")]
    ClockBehind {
        /// How far, in microseconds.
        ahead_micros: u64,
    },
    /// Nobody knows whether it was carried out: its commit may still arrive.
    /// Submit it again under the same key, or make sure that it never will be with
    /// [`Wallet::cancel`](crate::service::Wallet::cancel). Under a new key it may be done
    /// twice.
    #[error("whether the request was carried out is not known")]
    Indeterminate {
        /// The key to ask for.
        key: RecordKey,
        /// The ids of what it creates if it was.
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

    /// Whether submitting the same request under the same key can help.
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
