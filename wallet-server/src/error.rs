//! The errors with which the server does not start or does not end well.
//!
//! [`StartError`] carries the exit code of the program. The modules that open the store
//! and the relay of events return it, and so does the server itself (`serve`). Requests
//! fail with a `Problem` instead (`problem`).

use thiserror::Error;

use crate::log::Chain;

/// Why the server did not start or did not end well.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A currency of the settings contradicts another one.
    #[error("currencies: {0}")]
    Currencies(#[from] wallet_core::ledger::CurrencyError),
    /// The books count a currency in another unit than the settings say.
    #[error("currencies: the books hold {code} with {stored} decimals, the settings say {given}")]
    OtherDecimals {
        /// The currency.
        code: wallet_core::ledger::CurrencyCode,
        /// Its decimals in the books.
        stored: u8,
        /// Its decimals in the settings.
        given: u8,
    },
    /// The clock shows a time before 1970.
    #[error("the clock of this machine is before 1970: set it")]
    Clock,
    /// The store could not be opened.
    #[error("store: {}", Chain(.0))]
    Store(#[from] wallet_core::StoreError),
    /// The service could not be built.
    #[error("settings: {0}")]
    Build(#[from] wallet_core::service::BuildError),
    /// The relay of events could not be built.
    #[error("events: {0}")]
    Events(String),
    /// A setting of the relay makes no sense.
    #[error("events: {0}")]
    Relay(#[from] wallet_events::SettingError),
    /// The raise of how far accounts' times may run ahead is out of bounds.
    #[error("raise-max-ahead: {0}")]
    Raise(#[from] wallet_core::service::RaiseError),
    /// A text of the program's own is not valid.
    #[error("settings: {0}")]
    Text(#[from] wallet_core::ledger::TextError),
    /// Listening on the address failed, or another call to the system.
    #[error("{context}: {source}")]
    Io {
        /// What the server was doing.
        context: String,
        /// The error of the system.
        source: std::io::Error,
    },
}

impl StartError {
    /// The exit code: 2 for a bad setting, 1 for a failure.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Currencies(_)
            | Self::OtherDecimals { .. }
            | Self::Build(_)
            | Self::Text(_)
            | Self::Raise(_)
            | Self::Events(_)
            | Self::Relay(_) => 2,
            Self::Clock | Self::Store(_) | Self::Io { .. } => 1,
        }
    }
}

/// Wraps an error of the system as a [`StartError`], with what the server was doing.
pub(crate) fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> StartError {
    let context = context.into();
    move |source| StartError::Io { context, source }
}

/// The cause of an error, in brackets; empty without a cause.
#[must_use]
pub fn cause(error: &dyn std::error::Error) -> String {
    let source = error.source();
    source.map_or_else(String::new, |source| format!(" ({})", Chain(source)))
}
