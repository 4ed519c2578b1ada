use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

use super::BuildError;
use crate::ledger::{
    AmountError, CurrencyError, DecimalError, RecordKey, Rejected, SplitError, TextError,
};
use crate::request::{InvalidRequest, PreparedRequest};
use crate::store::{
    ApplyError, NotAccepted, StatementError, StoreError, StoreErrorKind, TransactionLost,
};

/// The one error of the service. Every error of a value, a store and a host's
/// transaction converts into it with `?`.
///
/// ```
/// use wallet_core::{Currency, Deposit, OpenAccount, Rejection, SettlementName, WalletError};
/// # use wallet_core::Wallet;
/// async fn welcome(wallet: &Wallet) -> Result<(), WalletError> {
///     let eur = Currency::iso("EUR")?;
///     let shop = wallet.scope("shop")?;
///     let ada = shop.run("open-ada", OpenAccount::new("ada".parse()?, eur)).await?;
///     let gift = Deposit::new(ada.id(), eur.parse("5.00")?, SettlementName::new("gifts")?);
///     match shop.run("gift-ada", gift).await {
///         Ok(_) => Ok(()),
///         Err(WalletError::Rejected(why)) if why.rejection == Rejection::MaxBalanceExceeded => {
///             Ok(())
///         }
///         Err(error) => Err(error),
///     }
/// }
/// ```
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The rules refused the request. The refusal is recorded under its key, and the
    /// same request gets it again. Nothing else was done. In a host's transaction the
    /// refusal is not recorded.
    #[error("refused: {0}")]
    Rejected(#[from] Rejected),
    /// A text, an amount, a currency or an id is not valid. Nothing was sent.
    #[error(transparent)]
    Value(#[from] InvalidValue),
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
        /// The ids of the things that this try creates if it is carried out. If an
        /// earlier try under the key was carried out, its ids count: they are in its
        /// outcome.
        ids: Vec<Uuid>,
    },
    /// The store failed. Nothing was done, unless the kind is `Indeterminate`: then the
    /// operation, which can be repeated, may have been carried out.
    #[error("the store failed: {0}")]
    Store(#[source] Arc<StoreError>),
    /// The database has rolled the host's transaction back. Nothing of it is
    /// committed. Begin again.
    #[error("{TransactionLost}{}", because(.0.as_deref()))]
    TransactionLost(#[source] Option<Arc<StoreError>>),
    /// The answer to the commit of a host's transaction was lost, and no request was applied
    /// in it that could show whether it is committed. Look at the host's own rows before
    /// another try: it might do the same twice.
    #[error("whether the host's transaction is committed is not known")]
    CommitUnknown,
    /// The closure of a host's transaction dropped a call before it had answered, for
    /// example in a `select!`. The call may have taken effect or not, so everything was
    /// rolled back, whatever the closure returned.
    #[error("a call of the host's transaction was dropped before its answer: it is rolled back")]
    CallDropped,
    /// A statement of the host that commits implicitly has ended its transaction too
    /// early. What was applied in it is committed.
    #[error("{}", ApplyError::CommittedEarly)]
    CommittedEarly,
    /// The transaction has ended: its closure has returned, and this handle was kept.
    /// Nothing was done now.
    #[error("the host's transaction has ended")]
    TransactionEnded,
    /// A request was submitted through the wallet, or another transaction was begun, inside
    /// of [`Wallet::in_transaction`](crate::service::Wallet::in_transaction). It would wait
    /// for the transaction that waits for it. Use the transaction. Nothing was done.
    #[error("work inside a host's transaction must be done through the transaction")]
    InsideTransaction,
    /// The database refused a statement of the host in its transaction.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The service cannot be built with these settings.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// The reason why a value cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidValue {
    /// A text.
    #[error("a text {0}")]
    Text(#[from] TextError),
    /// An amount in minor units.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// A decimal amount.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
    /// A currency.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// The shares of a split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A percentage of a split.
    #[cfg(feature = "decimal")]
    #[error(transparent)]
    Percent(#[from] crate::ledger::PercentError),
    /// An id that is no UUID.
    #[error("an id is no UUID: {0}")]
    Id(#[from] uuid::Error),
}

impl WalletError {
    /// The stable code, such as `"overloaded"`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejected) => rejected.rejection.code(),
            Self::Value(_) => "invalid_value",
            Self::TransactionLost(_) => "transaction_lost",
            Self::CommitUnknown => "commit_unknown",
            Self::CallDropped => "call_dropped",
            Self::CommittedEarly => "committed_early",
            Self::TransactionEnded => "transaction_ended",
            Self::InsideTransaction => "inside_transaction",
            Self::Statement(_) => "statement_refused",
            Self::Build(_) => "invalid_settings",
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

    /// The result of a request that may be on its way to the store.
    pub(super) fn indeterminate(request: &PreparedRequest) -> Self {
        Self::Indeterminate {
            key: request.key(),
            ids: request.ids(),
        }
    }

    /// The refusal by the rules, if the error is one.
    #[must_use]
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            _ => None,
        }
    }

    /// Whether a retry of the same request under the same key can help: after
    /// [`Overloaded`](Self::Overloaded), [`ClockBehind`](Self::ClockBehind),
    /// [`Indeterminate`](Self::Indeterminate), [`TransactionLost`](Self::TransactionLost) and
    /// the errors of a store that pass ([`StoreError::is_retryable`]), and after
    /// [`ShuttingDown`](Self::ShuttingDown) in another process. After a refusal, ask
    /// [`Rejection::retry`](crate::ledger::Rejection::retry).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Rejected(_)
            | Self::Value(_)
            | Self::Invalid(_)
            | Self::InvalidItem { .. }
            | Self::IdempotencyMismatch
            | Self::CommittedEarly
            | Self::CommitUnknown
            | Self::CallDropped
            | Self::TransactionEnded
            | Self::InsideTransaction
            | Self::Statement(_)
            | Self::Build(_) => false,
            Self::TransactionLost(_)
            | Self::Overloaded
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

/// `: ` and the cause, if it is known.
fn because(cause: Option<&StoreError>) -> String {
    cause.map_or_else(String::new, |cause| format!(": {cause}"))
}

/// Values convert in one step, so that `?` works on them.
macro_rules! from_values {
    ($($error:ty),*) => {$(
        impl From<$error> for WalletError {
            fn from(error: $error) -> Self {
                Self::Value(error.into())
            }
        }
    )*};
}

from_values!(
    TextError,
    AmountError,
    DecimalError,
    CurrencyError,
    SplitError,
    uuid::Error
);

#[cfg(feature = "decimal")]
from_values!(crate::ledger::PercentError);

impl From<TransactionLost> for WalletError {
    fn from(_: TransactionLost) -> Self {
        Self::TransactionLost(None)
    }
}

impl From<ApplyError> for WalletError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::TransactionLost(cause) => Self::TransactionLost(cause.map(Arc::new)),
            ApplyError::CommittedEarly => Self::CommittedEarly,
            ApplyError::NotAccepted(refused) => refused.into(),
            ApplyError::Statement(error) => Self::Statement(error),
            ApplyError::Store(error) => error.into(),
        }
    }
}

impl From<NotAccepted> for WalletError {
    fn from(refused: NotAccepted) -> Self {
        match refused {
            NotAccepted::Rejected { rejected, .. } => Self::Rejected(rejected),
            NotAccepted::IdempotencyMismatch { .. } => Self::IdempotencyMismatch,
            NotAccepted::Blocked { .. } => {
                let context = "another transaction holds a lock that the request needs";
                StoreError::new(StoreErrorKind::Conflict, context).into()
            }
            NotAccepted::ClockBehind { ahead_micros, .. } => Self::ClockBehind { ahead_micros },
        }
    }
}
