//! Errors of stores.

use std::error::Error as StdError;

use crate::ledger::EpochError;

/// The kind of a store's error. A kind exists only where the caller acts
/// differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The store cannot be reached or is too busy. Nothing was committed. Try again
    /// later.
    Unavailable,
    /// A concurrent commit was faster. Nothing was committed. Decide again at once
    /// on a fresh snapshot.
    Conflict,
    /// The answer to a commit was lost. The commit may have happened, may still
    /// happen, or may never happen. Submit again under the same keys to find out.
    Indeterminate,
    /// The store refused the data itself. Nothing was committed. The same data will
    /// be refused again.
    Invalid,
    /// The data in the store contradicts itself. Stop and investigate.
    Corrupt,
    /// Any other error: a bug, a wrong setting, an unforeseen failure.
    Internal,
}

impl StoreErrorKind {
    /// Whether a retry of the same work can help.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Unavailable | Self::Conflict | Self::Indeterminate => true,
            Self::Invalid | Self::Corrupt | Self::Internal => false,
        }
    }
}

/// An error of a store: its kind, the operation, and the driver's own error where
/// there is one.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error of `kind` during the operation `context`.
    #[must_use]
    pub fn new(kind: StoreErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
            source: None,
        }
    }

    /// The same error with the driver's error as its source.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The operation that failed.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Whether a retry of the same work can help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.context)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| {
            let source: &(dyn StdError + 'static) = source.as_ref();
            source
        })
    }
}

impl From<EpochError> for StoreError {
    fn from(error: EpochError) -> Self {
        let kind = match error {
            EpochError::RestoredToLater => StoreErrorKind::Invalid,
            EpochError::UsedUp => StoreErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}
