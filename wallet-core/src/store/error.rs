//! Errors of stores.

use std::error::Error as StdError;

use crate::ledger::EpochError;

/// What kind of trouble a store had: a kind exists only where the caller acts
/// differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The store cannot be reached or is too busy. Nothing was committed; try
    /// again later.
    Unavailable,
    /// Somebody else was faster. Nothing was committed; decide again at once on
    /// a fresh snapshot.
    Conflict,
    /// The answer to a commit was lost: it may have happened, may still
    /// happen, or not. Submit again under the same keys to find out.
    Indeterminate,
    /// The store refused the data itself. Nothing was committed; the same data
    /// will be refused again.
    Invalid,
    /// What the store holds contradicts itself. Stop and look.
    Corrupt,
    /// Anything else: a bug, a setting, a failure that nobody foresaw.
    Internal,
}

impl StoreErrorKind {
    /// Whether submitting the same work again can help.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Unavailable | Self::Conflict | Self::Indeterminate => true,
            Self::Invalid | Self::Corrupt | Self::Internal => false,
        }
    }
}

/// An error of a store: its kind, what was being done, and the driver's own
/// error where there is one.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error of `kind` while doing `context`.
    #[must_use]
    pub fn new(kind: StoreErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
            source: None,
        }
    }

    /// The same with the driver's error behind it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// What was being done.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Whether submitting the same work again can help.
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
