//! Stored formats: compact, versioned, without floats or field names.
//!
//! A stored blob starts with its format version. Every release reads every
//! version that an earlier one wrote; a version it does not know is an error,
//! never a guess.

use std::sync::Arc;

use thiserror::Error;

use crate::{LedgerId, Outcome};

/// Why stored bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Written by a newer release.
    #[error("format version {0} is not known")]
    UnknownVersion(u8),
    /// Not what any release wrote.
    #[error("the stored bytes are damaged")]
    Damaged,
}

/// The bytes of an outcome, as a record keeps them.
#[must_use]
pub fn encode_outcome(_outcome: &Outcome) -> Vec<u8> {
    Vec::new()
}

/// Reads the outcome of a record of `ledger`.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_outcome(_ledger: LedgerId, _bytes: &[u8]) -> Result<Outcome, DecodeError> {
    Err(DecodeError::Damaged)
}

/// The payload of an outbox row: accepted outcomes in the order in which they
/// were decided; `None` when none of them has an effect.
#[must_use]
pub fn encode_outbox(_accepted: &[(LedgerId, Arc<Outcome>)]) -> Option<Vec<u8>> {
    None
}

/// Reads the payload of an outbox row.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_outbox(_bytes: &[u8]) -> Result<Vec<(LedgerId, Outcome)>, DecodeError> {
    Err(DecodeError::Damaged)
}

/// The bytes of a transfer, for stores that keep it as one value.
#[must_use]
pub fn encode_transfer(_transfer: &crate::Transfer) -> Vec<u8> {
    Vec::new()
}

/// Reads a transfer of `ledger`.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_transfer(_ledger: LedgerId, _bytes: &[u8]) -> Result<crate::Transfer, DecodeError> {
    Err(DecodeError::Damaged)
}

/// The bytes of a hold, for stores that keep it as one value.
#[must_use]
pub fn encode_hold(_hold: &crate::Hold) -> Vec<u8> {
    Vec::new()
}

/// Reads a hold of `ledger`.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_hold(_ledger: LedgerId, _bytes: &[u8]) -> Result<crate::Hold, DecodeError> {
    Err(DecodeError::Damaged)
}
