//! Values as texts, and what a text may not say.

use thiserror::Error;
use wallet_core::{Amount, Currency, Timestamp, parse_minor};

/// Why a body is no event that this release understands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// No CloudEvents 1.0 JSON of the wallet's.
    #[error("not an event of the wallet's: {0}")]
    NotAnEvent(String),
    /// A field of it has a value that cannot be.
    #[error("an event is damaged: {0}")]
    Damaged(&'static str),
}

/// An id of the ledger from its text.
pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T, EventError> {
    text.parse().map_err(|_| EventError::Damaged("an id"))
}

/// An amount above zero from its text.
pub(super) fn amount(text: &str, currency: Currency) -> Result<Amount, EventError> {
    Amount::new(minor(text, currency)?).map_err(|_| EventError::Damaged("an amount"))
}

/// An amount of either sign from its text.
pub(super) fn minor(text: &str, currency: Currency) -> Result<i128, EventError> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let minor = parse_minor(digits, currency);
    let minor = minor.map_err(|_| EventError::Damaged("an amount"))?;
    let sign = if is_negative { -1 } else { 1 };
    minor
        .checked_mul(sign)
        .ok_or(EventError::Damaged("an amount"))
}

/// RFC 3339, in UTC.
pub(super) fn time_text(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(at.as_micros());
    // A store's clock stays within the years that can be written.
    time.map_or_else(|_| String::new(), |time| time.to_string())
}

pub(super) fn time_of(text: &str) -> Result<Timestamp, EventError> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    let time = time.map_err(|_| EventError::Damaged("a time"))?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}
