//! The response bodies of the API: one type each.

mod account;
mod entry;
mod hold;
mod outcome;
mod page;
mod transfer;

pub(crate) use account::{AccountBody, BalanceBody, PastBalanceBody, PolicyText};
pub(crate) use entry::EntryBody;
pub(crate) use hold::{HoldBody, HoldState};
pub(crate) use outcome::{BatchBody, ItemResult, OutcomeBody};
pub(crate) use page::{Page, page_size};
pub(crate) use transfer::TransferBody;

use serde_json::Value;
use wallet_core::{Metadata, Timestamp};

/// RFC 3339, in UTC, always with six digits of the second's fraction: the order of
/// the texts is that of the times.
#[must_use]
pub fn time(at: Timestamp) -> String {
    at.to_string()
}

/// Metadata as JSON.
pub(crate) fn metadata(metadata: &Metadata) -> Value {
    serde_json::from_str(metadata.as_str()).unwrap_or_default()
}
