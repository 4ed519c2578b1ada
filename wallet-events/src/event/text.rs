//! Parses values from text, and rejects invalid text.

use std::borrow::Cow;
use std::ops::Deref;

use serde::Deserialize;
use thiserror::Error;
use wallet_core::ledger::parse_minor;
use wallet_core::{Amount, Currency, Timestamp};

/// Why a body is not an event that this release understands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// The body is not CloudEvents 1.0 JSON of the wallet.
    #[error("not an event of the wallet's: {0}")]
    NotAnEvent(String),
    /// A field has an invalid value.
    #[error("an event is damaged: {0}")]
    Damaged(&'static str),
}

/// A text of a body, borrowed unless it contains escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    pub(super) fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// An id of the ledger from its text.
pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T, EventError> {
    text.parse().map_err(|_| EventError::Damaged("an id"))
}

/// The value that a name was looked up for. `what` names the kind of value.
pub(super) fn named<T>(found: Option<T>, what: &'static str) -> Result<T, EventError> {
    found.ok_or(EventError::Damaged(what))
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

/// A time as RFC 3339 writes it, in UTC, where it can be written.
pub(super) fn time(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(at.as_micros()).ok()
}

pub(super) fn time_of(text: &str) -> Result<Timestamp, EventError> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    let time = time.map_err(|_| EventError::Damaged("a time"))?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}
