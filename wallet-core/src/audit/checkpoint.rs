use thiserror::Error;

use super::{AuditHash, AuditPartition, AuditRecord};
use crate::ledger::Timestamp;

/// The first word of a checkpoint's text.
const NAME: &str = "wallet-audit-checkpoint/1";

/// The state of a chain at some time: the record of this sequence had this hash.
/// Store it where nobody can change it.
///
/// ```
/// use wallet_core::Timestamp;
/// use wallet_core::audit::{AuditCheckpoint, AuditHash};
///
/// let checkpoint = AuditCheckpoint {
///     partition: 0,
///     sequence: 1_000,
///     hash: AuditHash([7; 32]),
///     at: Timestamp::from_micros(1_790_000_000_000_000),
/// };
/// let published = checkpoint.to_string();
/// assert_eq!(published.parse::<AuditCheckpoint>()?, checkpoint);
/// # Ok::<(), wallet_core::audit::CheckpointError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCheckpoint {
    /// The partition of the chain.
    pub partition: AuditPartition,
    /// The sequence of the record.
    pub sequence: i64,
    /// The hash of the record.
    pub hash: AuditHash,
    /// The time at which the checkpoint was taken.
    pub at: Timestamp,
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a checkpoint of an audit log")]
pub struct CheckpointError;

impl AuditCheckpoint {
    /// The checkpoint of a record.
    #[must_use]
    pub const fn of(record: &AuditRecord, at: Timestamp) -> Self {
        Self {
            partition: record.partition,
            sequence: record.sequence,
            hash: record.hash,
            at,
        }
    }
}

impl std::fmt::Display for AuditCheckpoint {
    /// Formats the checkpoint as one line of words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            partition,
            sequence,
            hash,
            at,
        } = self;
        write!(f, "{NAME} {partition} {sequence} {} {hash}", at.as_micros())
    }
}

impl std::str::FromStr for AuditCheckpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let words: Vec<&str> = text.trim().split(' ').collect();
        let [NAME, partition, sequence, at, hash] = words[..] else {
            return Err(CheckpointError);
        };
        let checkpoint = Self {
            partition: partition.parse().map_err(|_| CheckpointError)?,
            sequence: sequence.parse().map_err(|_| CheckpointError)?,
            hash: parse_hash(hash).ok_or(CheckpointError)?,
            at: Timestamp::from_micros(at.parse().map_err(|_| CheckpointError)?),
        };
        // Only one spelling is valid, because published checkpoints are also compared as
        // text.
        let is_canonical = checkpoint.to_string() == text.trim() && checkpoint.sequence > 0;
        is_canonical.then_some(checkpoint).ok_or(CheckpointError)
    }
}

fn parse_hash(text: &str) -> Option<AuditHash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    let hash = bytes?.try_into().ok()?;
    rest.is_empty().then_some(AuditHash(hash))
}
