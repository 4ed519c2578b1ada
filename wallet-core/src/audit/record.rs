use sha2::{Digest, Sha256};

use super::{AuditEvent, AuditText};

/// The prefix of every hashed record: the format's name and version. Every version
/// has another prefix, so that no hash has two meanings.
const DOMAIN: &[u8] = b"wallet-audit-record/1\0";

/// A part of the audit log with its own chain. The default is a single partition,
/// number 0.
pub type AuditPartition = u16;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuditHash(pub [u8; 32]);

impl AuditHash {
    /// The previous hash of the first record of a chain.
    pub const START: Self = Self([0; 32]);
}

impl std::fmt::Display for AuditHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// An event with its position in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The partition of the chain.
    pub partition: AuditPartition,
    /// The record's number in the chain. Numbers have no gap, and the first is 1.
    pub sequence: i64,
    /// The hash of the previous record; [`AuditHash::START`] for the first.
    pub previous: AuditHash,
    /// The recorded event.
    pub event: AuditEvent,
    /// The hash of all fields above.
    pub hash: AuditHash,
}

impl AuditRecord {
    /// The record of `event` after the record with that hash.
    #[must_use]
    pub fn new(
        partition: AuditPartition,
        sequence: i64,
        previous: AuditHash,
        event: AuditEvent,
    ) -> Self {
        let mut record = Self {
            partition,
            sequence,
            previous,
            event,
            hash: AuditHash::START,
        };
        record.hash = record.computed();
        record
    }

    /// The records of events after the record with that sequence and hash.
    #[must_use]
    pub fn chain(
        partition: AuditPartition,
        (mut sequence, mut previous): (i64, AuditHash),
        events: &[AuditEvent],
    ) -> Vec<Self> {
        let records = events.iter().map(|event| {
            sequence = sequence.saturating_add(1);
            let record = Self::new(partition, sequence, previous, event.clone());
            previous = record.hash;
            record
        });
        records.collect()
    }

    /// The hash that the record must have.
    #[must_use]
    pub fn computed(&self) -> AuditHash {
        let mut hash = Sha256::new();
        let event = &self.event;
        hash.update(DOMAIN);
        hash.update(self.partition.to_be_bytes());
        hash.update(self.sequence.to_be_bytes());
        hash.update(self.previous.0);
        hash.update(event.id.as_bytes());
        hash.update(event.at.as_micros().to_be_bytes());
        hash.update([event.outcome.number()]);
        for text in [&event.actor, &event.action, &event.resource] {
            put(&mut hash, Some(text));
        }
        put(&mut hash, event.origin.as_ref());
        put(&mut hash, event.note.as_ref());
        AuditHash(hash.finalize().into())
    }
}

/// Hashes the length and the bytes, so that no two records have the same bytes. An
/// absent text has a length that no allowed text has.
fn put(hash: &mut Sha256, text: Option<&AuditText>) {
    let text = text.map_or("", AuditText::as_str);
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    hash.update(length.to_be_bytes());
    hash.update(text.as_bytes());
}
