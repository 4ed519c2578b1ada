//! One commit's share of what is deferred, and how it is stored.

use wallet_core::Timestamp;
use wallet_core::ledger::{Counters, Sequence, Version};

use super::slices::{Sliced, slice};
use crate::error::{Result, corrupt};
use crate::value::{push_counters, push_number, take_counters, take_number};

const FORMAT: u8 = 1;
const BAD_PIECE: &str = "a deferred piece is damaged";

/// An account after a commit: what transfers change of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) number: i64,
    pub(crate) version: Version,
    pub(crate) sequence: Sequence,
    pub(crate) last_at: Timestamp,
    pub(crate) last_entry: i64,
    pub(crate) counters: Counters,
}

/// A key and the journal row that tells its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) ledger: i64,
    pub(crate) hash: [u8; 16],
    pub(crate) journal: i64,
}

/// 16 random bytes that name one piece of one history of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nonce(pub(crate) [u8; 16]);

/// What one commit deferred.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its number: one more than that of the piece before.
    pub(crate) number: i64,
    /// What tells it from a piece that got the same number after a restore.
    pub(super) nonce: Nonce,
    pub(super) moved: Sliced<Moved>,
    pub(super) keys: Sliced<Key>,
}

impl Piece {
    pub(crate) fn new(number: i64, nonce: Nonce, moved: Vec<Moved>, keys: Vec<Key>) -> Self {
        Self {
            number,
            nonce,
            moved: Sliced::new(moved),
            keys: Sliced::new(keys),
        }
    }

    /// The slice that the commit which wrote this piece folded.
    pub(super) fn folded(&self) -> usize {
        slice(self.number)
    }

    /// As it is stored.
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

    /// What `encode` wrote.
    pub(super) fn decode(number: i64, nonce: Nonce, bytes: &[u8]) -> Result<Self> {
        let damaged = || corrupt(BAD_PIECE);
        let (format, mut bytes) = bytes.split_first().ok_or_else(damaged)?;
        if *format != FORMAT {
            return Err(corrupt("a deferred piece has a format that is not known"));
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
    // No batch has as many.
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
