//! The market's one error.

use wallet::WalletError;
use wallet::core::ledger::Retry;

pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The ledger's, with every error that converts into it.
    #[error(transparent)]
    Wallet(WalletError),
    #[error("the feed of events: {0}")]
    Feed(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("{0} does not exist, or is in another state")]
    State(String),
}

/// `?` on every error of a value, a store or a refusal.
impl<E: Into<WalletError>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Wallet(error.into())
    }
}

impl Error {
    pub(crate) fn feed(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Feed(Box::new(error))
    }

    /// Whether the same call may succeed later, under another key.
    pub(crate) fn wants_another_key(&self) -> bool {
        matches!(self, Self::Wallet(WalletError::Rejected(why))
            if why.rejection.retry() == Retry::NewKey)
    }

    /// Whether the same call under the same key can help.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::Wallet(error) if error.is_retryable())
    }
}
