use std::collections::BTreeMap;

use thiserror::Error;

use super::{AuditCheckpoint, AuditHash, AuditPartition, AuditRecord};

/// The first invalid record of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("partition {partition}, record {sequence}: {kind}")]
pub struct AuditFault {
    /// The partition of the chain.
    pub partition: AuditPartition,
    /// The sequence of the first invalid record. The expected record is not there.
    pub sequence: i64,
    /// The kind of fault.
    pub kind: AuditFaultKind,
}

/// The kind of fault of a record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuditFaultKind {
    /// The hash does not match the record's contents: the record was edited.
    #[error("it was edited")]
    Edited,
    /// Another record has this place: the record was removed, or others were
    /// inserted or moved.
    #[error("record {found} stands in its place: one was removed, inserted or moved")]
    OutOfPlace {
        /// The sequence in the record that was found.
        found: i64,
    },
    /// The record's link does not match the previous record: one of the two was
    /// replaced.
    #[error("it is not bound to the record before it")]
    Unbound,
    /// The record belongs to another partition.
    #[error("it belongs to partition {found}")]
    Foreign {
        /// The partition of the record.
        found: AuditPartition,
    },
    /// The record contradicts a published checkpoint: the chain was rewritten at
    /// this record or before it.
    #[error("a checkpoint knows another one: it, or one before it, was written anew")]
    NotAsPublished,
    /// A published checkpoint has this record, but the chain ends before it: the
    /// tail was cut off.
    #[error("a checkpoint knows it, and the chain ends before it")]
    CutOff,
}

/// Verifies a chain record by record, in constant memory.
///
/// ```
/// use uuid::Uuid;
/// use wallet_core::Timestamp;
/// use wallet_core::audit::{
///     AuditEvent, AuditFaultKind, AuditHash, AuditOutcome, AuditRecord, AuditText, Chain,
/// };
///
/// let event = AuditEvent {
///     id: Uuid::from_u128(1),
///     at: Timestamp::from_micros(5),
///     actor: AuditText::new("user/ada")?,
///     action: AuditText::new("account.freeze")?,
///     resource: AuditText::new("account/7")?,
///     origin: None,
///     outcome: AuditOutcome::Done,
///     note: None,
/// };
/// let events = [event.clone(), event.clone(), event];
/// let mut records = AuditRecord::chain(0, (0, AuditHash::START), &events);
/// records[1].event.actor = AuditText::new("user/bob")?;
///
/// let mut chain = Chain::new(0);
/// assert_eq!(chain.follow(&records[0]), Ok(()));
/// let fault = chain.follow(&records[1]).unwrap_err();
/// assert_eq!((fault.sequence, fault.kind), (2, AuditFaultKind::Edited));
/// # Ok::<(), wallet_core::audit::AuditTextError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Chain {
    partition: AuditPartition,
    sequence: i64,
    hash: AuditHash,
    checkpoints: BTreeMap<i64, AuditHash>,
}

impl Chain {
    /// The chain of a partition from its first record.
    #[must_use]
    pub const fn new(partition: AuditPartition) -> Self {
        Self {
            partition,
            sequence: 0,
            hash: AuditHash::START,
            checkpoints: BTreeMap::new(),
        }
    }

    /// The chain after a checkpoint. Records before the checkpoint are not
    /// verified.
    #[must_use]
    pub const fn behind(checkpoint: &AuditCheckpoint) -> Self {
        Self {
            partition: checkpoint.partition,
            sequence: checkpoint.sequence,
            hash: checkpoint.hash,
            checkpoints: BTreeMap::new(),
        }
    }

    /// The same chain, verified against published checkpoints. Checkpoints of other
    /// partitions are ignored.
    ///
    /// # Errors
    /// [`AuditFault`] when two checkpoints contradict each other.
    pub fn with_checkpoints(mut self, published: &[AuditCheckpoint]) -> Result<Self, AuditFault> {
        let own = published.iter();
        for checkpoint in own.filter(|known| known.partition == self.partition) {
            let (sequence, hash) = (checkpoint.sequence, checkpoint.hash);
            let known = self.checkpoints.insert(sequence, hash);
            if known.is_some_and(|known| known != hash) {
                return Err(self.fault(sequence, AuditFaultKind::NotAsPublished));
            }
        }
        Ok(self)
    }

    /// Verifies the next record.
    ///
    /// # Errors
    /// [`AuditFault`]: this is the first invalid record. Later records cannot be
    /// judged.
    pub fn follow(&mut self, record: &AuditRecord) -> Result<(), AuditFault> {
        let due = self.sequence.saturating_add(1);
        if record.partition != self.partition {
            let found = record.partition;
            return Err(self.fault(due, AuditFaultKind::Foreign { found }));
        }
        if record.sequence != due {
            let found = record.sequence;
            return Err(self.fault(due, AuditFaultKind::OutOfPlace { found }));
        }
        if record.computed() != record.hash {
            return Err(self.fault(due, AuditFaultKind::Edited));
        }
        if record.previous != self.hash {
            return Err(self.fault(due, AuditFaultKind::Unbound));
        }
        let published = self.checkpoints.get(&due);
        if published.is_some_and(|published| *published != record.hash) {
            return Err(self.fault(due, AuditFaultKind::NotAsPublished));
        }
        (self.sequence, self.hash) = (due, record.hash);
        Ok(())
    }

    /// Ends the chain and returns the sequence and hash of its last record.
    ///
    /// # Errors
    /// [`AuditFault`] when a checkpoint is of a later record than the last one.
    pub fn end(self) -> Result<(i64, AuditHash), AuditFault> {
        let last = self.checkpoints.last_key_value();
        if last.is_some_and(|(sequence, _)| *sequence > self.sequence) {
            let next = self.sequence.saturating_add(1);
            return Err(self.fault(next, AuditFaultKind::CutOff));
        }
        Ok((self.sequence, self.hash))
    }

    /// The sequence of the last verified record; 0 before the first.
    #[must_use]
    pub const fn sequence(&self) -> i64 {
        self.sequence
    }

    const fn fault(&self, sequence: i64, kind: AuditFaultKind) -> AuditFault {
        AuditFault {
            partition: self.partition,
            sequence,
            kind,
        }
    }
}
