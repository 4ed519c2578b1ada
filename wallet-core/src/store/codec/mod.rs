//! Stored formats: compact, versioned, without floats or field names.
//!
//! A stored blob starts with its format version. Every release reads every version
//! that an earlier one wrote. An unknown version is an error, never a guess.
//!
//! # Rules
//!
//! - Counts, sums and versions are LEB128 varints in their shortest form. Times are
//!   zigzag varints of the difference to an earlier time in the blob, so a shared
//!   time takes one byte. Ids are 16 bytes. Texts are length and UTF-8.
//! - A field that can be absent, or can refer to an earlier value, has a bit in a
//!   flags byte. An effect's account is one of its leg's, and a leg's currency is
//!   mostly that of the previous leg. A bit that no release wrote means damage.
//! - Every value of an enum has its own number, which is never reused. The table of
//!   numbers stands beside the enum (`table!` in `ledger`).
//! - The ledger is not stored, because the reader of the row knows it from the key.
//!   The outbox stores it, because its rows span ledgers.
//! - Reading is total. Every value passes the checks of its type. A count is
//!   limited by the remaining bytes, and no byte may follow the end.
//!
//! # How a format changes
//!
//! The meaning of a version never changes, not even to use a free bit. An older
//! process that still runs during a rolling deploy would misread it. A new field
//! needs a new version number. The readers of the old version stay, with the field
//! absent. A version is written only from the release *after* the first one that
//! reads it. The five kinds of blob share their parts, so they share their version.
//! The golden records in the tests are never edited. New ones are only added.

mod account;
mod balance;
mod effect;
mod hold;
mod numbers;
mod outbox;
mod outcome;
mod parts;
mod transfer;
mod wire;

use std::sync::Arc;

use thiserror::Error;

use crate::ledger::{Balance, Hold, LedgerId, Outcome, Timestamp, Transfer};
use wire::{Reader, Writer};

/// The version that this release writes.
const VERSION: u8 = 1;

/// The reason why stored bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A newer release wrote the bytes.
    #[error("format version {0} is not known")]
    UnknownVersion(u8),
    /// No release wrote these bytes.
    #[error("the stored bytes are damaged")]
    Damaged,
}

/// The bytes of an outcome in a record.
#[must_use]
pub fn encode_outcome(outcome: &Outcome) -> Vec<u8> {
    let mut writer = Writer::new(outcome::size_hint(outcome));
    outcome::write(&mut writer, outcome, Timestamp::EPOCH);
    writer.finish()
}

/// Reads the outcome of a record of `ledger`.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_outcome(ledger: LedgerId, bytes: &[u8]) -> Result<Outcome, DecodeError> {
    let mut reader = Reader::new(bytes)?;
    let outcome = outcome::read(&mut reader, ledger, Timestamp::EPOCH)?;
    reader.finish(outcome)
}

/// The payload of an outbox row: accepted outcomes in the order in which they
/// were decided; `None` when none of them has an effect.
#[must_use]
pub fn encode_outbox(accepted: &[(LedgerId, Arc<Outcome>)]) -> Option<Vec<u8>> {
    outbox::encode(accepted)
}

/// Reads the payload of an outbox row.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_outbox(bytes: &[u8]) -> Result<Vec<(LedgerId, Outcome)>, DecodeError> {
    outbox::decode(bytes)
}

/// The bytes of a transfer, for stores that hold it as one value.
#[must_use]
pub fn encode_transfer(transfer: &Transfer) -> Vec<u8> {
    let mut writer = Writer::new(transfer::size_hint(transfer));
    transfer::write(&mut writer, transfer, Timestamp::EPOCH);
    writer.finish()
}

/// Reads a transfer of `ledger`.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_transfer(ledger: LedgerId, bytes: &[u8]) -> Result<Transfer, DecodeError> {
    let mut reader = Reader::new(bytes)?;
    let transfer = transfer::read(&mut reader, ledger, Timestamp::EPOCH)?;
    reader.finish(transfer)
}

/// The bytes of a hold, for stores that hold it as one value.
#[must_use]
pub fn encode_hold(hold: &Hold) -> Vec<u8> {
    let mut writer = Writer::new(hold::size_hint(hold));
    hold::write(&mut writer, hold, hold::Known::default(), Timestamp::EPOCH);
    writer.finish()
}

/// Reads a hold of `ledger`.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_hold(ledger: LedgerId, bytes: &[u8]) -> Result<Hold, DecodeError> {
    let mut reader = Reader::new(bytes)?;
    let hold = hold::read(
        &mut reader,
        ledger,
        hold::Known::default(),
        Timestamp::EPOCH,
    )?;
    reader.finish(hold)
}

/// The bytes of a balance, for caches.
#[must_use]
pub fn encode_balance(balance: &Balance) -> Vec<u8> {
    let mut writer = Writer::new(balance::SIZE_HINT);
    balance::write(&mut writer, balance);
    writer.finish()
}

/// Reads a balance of `ledger`.
///
/// # Errors
/// [`DecodeError`]. For a cache it is a miss.
pub fn decode_balance(ledger: LedgerId, bytes: &[u8]) -> Result<Balance, DecodeError> {
    let mut reader = Reader::new(bytes)?;
    let balance = balance::read(&mut reader, ledger)?;
    reader.finish(balance)
}
