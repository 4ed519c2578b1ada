//! A delta: the rows that one commit defers, and their stored form.

use wallet_core::Timestamp;
use wallet_core::ledger::{Counters, Sequence, Version};

use super::buckets::{Sliced, bucket};
use crate::error::{Result, corrupt};
use crate::value::{push_counters, push_number, take_counters, take_number};

const FORMAT: u8 = 1;
const BAD_PIECE: &str = "a deferred delta is damaged";

/// An account after a commit: the columns that transfers change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) number: i64,
    pub(crate) version: Version,
    pub(crate) sequence: Sequence,
    pub(crate) last_at: Timestamp,
    pub(crate) last_entry: i64,
    pub(crate) counters: Counters,
}

/// A key and the journal row of its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) ledger: i64,
    pub(crate) hash: [u8; 16],
    pub(crate) journal: i64,
}

/// A nonce of 16 random bytes. It names one delta in one history of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nonce(pub(crate) [u8; 16]);

/// The rows that one commit deferred.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    /// The delta's number: one more than that of the previous delta.
    pub(crate) number: i64,
    /// Distinguishes this delta from one that got the same number after a restore.
    pub(super) nonce: Nonce,
    pub(super) moved: Sliced<Moved>,
    pub(super) keys: Sliced<Key>,
}

impl Delta {
    pub(crate) fn new(number: i64, nonce: Nonce, moved: Vec<Moved>, keys: Vec<Key>) -> Self {
        Self {
            number,
            nonce,
            moved: Sliced::new(moved),
            keys: Sliced::new(keys),
        }
    }

    /// The bucket that was merged by the commit of this delta.
    pub(super) fn merged(&self) -> usize {
        bucket(self.number)
    }

    /// Encodes the delta for storage.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(FORMAT);
        push_length(&mut bytes, self.moved.all().len());
        for moved in self.moved.all() {
            for number in [
                moved.number,
                moved.version,
                moved.sequence,
                moved.last_entry,
            ] {
                push_number(&mut bytes, i128::from(number));
            }
            bytes.extend(moved.last_at.as_micros().to_be_bytes());
            push_counters(&mut bytes, &moved.counters);
        }
        push_length(&mut bytes, self.keys.all().len());
        for key in self.keys.all() {
            push_number(&mut bytes, i128::from(key.ledger));
            push_number(&mut bytes, i128::from(key.journal));
            bytes.extend(key.hash);
        }
        bytes
    }

    /// Decodes a stored delta.
    pub(super) fn decode(number: i64, nonce: Nonce, bytes: &[u8]) -> Result<Self> {
        let damaged = || corrupt(BAD_PIECE);
        let (format, mut bytes) = bytes.split_first().ok_or_else(damaged)?;
        if *format != FORMAT {
            return Err(corrupt("a deferred delta has a format that is not known"));
        }
        let bytes = &mut bytes;
        let moved = (0..take(bytes)?).map(|_| {
            Ok(Moved {
                number: take(bytes)?,
                version: take(bytes)?,
                sequence: take(bytes)?,
                last_entry: take(bytes)?,
                last_at: Timestamp::from_micros(i64::from_be_bytes(take_bytes(bytes)?)),
                counters: take_counters(bytes)?,
            })
        });
        let moved = moved.collect::<Result<Vec<_>>>()?;
        let keys = (0..take(bytes)?).map(|_| {
            Ok(Key {
                ledger: take(bytes)?,
                journal: take(bytes)?,
                hash: take_bytes(bytes)?,
            })
        });
        let keys = keys.collect::<Result<Vec<_>>>()?;
        bytes
            .is_empty()
            .then(|| Self::new(number, nonce, moved, keys))
            .ok_or_else(damaged)
    }
}

fn push_length(bytes: &mut Vec<u8>, length: usize) {
    // No batch has this many rows.
    push_number(bytes, i128::try_from(length).unwrap_or(i128::MAX));
}

fn take(bytes: &mut &[u8]) -> Result<i64> {
    let number = take_number(bytes).and_then(|number| i64::try_from(number).ok());
    number.ok_or_else(|| corrupt(BAD_PIECE))
}

fn take_bytes<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let split = bytes.split_first_chunk();
    let (taken, rest) = split.ok_or_else(|| corrupt(BAD_PIECE))?;
    *bytes = rest;
    Ok(*taken)
}
