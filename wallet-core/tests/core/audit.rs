//! Every change of a chain is detected, at the first changed record.

use async_trait::async_trait;
use proptest::prelude::*;
use uuid::Uuid;
use wallet_core::audit::{
    AuditCheckpoint, AuditEvent, AuditFault, AuditFaultKind, AuditHash, AuditLog, AuditOutcome,
    AuditPartition, AuditRecord, AuditText, AuditVerdict, verify,
};
use wallet_core::{StoreError, Timestamp};

/// A log that an attacker with disk access can change at will.
#[derive(Debug)]
struct Listed(Vec<AuditRecord>);

#[async_trait]
impl AuditLog for Listed {
    async fn append(
        &self,
        _: AuditPartition,
        _: &[AuditEvent],
    ) -> Result<Vec<AuditRecord>, StoreError> {
        unreachable!("it is read only")
    }

    /// Returns the records after this sequence.
    async fn records(
        &self,
        _: AuditPartition,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let from = usize::try_from(after).unwrap();
        // Small pages, so that chains are longer than one.
        let limit = usize::try_from(limit).unwrap().min(3);
        Ok(self.0.iter().skip(from).take(limit).cloned().collect())
    }

    async fn last(&self, _: AuditPartition) -> Result<Option<AuditRecord>, StoreError> {
        Ok(self.0.last().cloned())
    }
}

fn text(text: &str) -> AuditText {
    AuditText::new(text).unwrap()
}

fn event(number: u128) -> AuditEvent {
    AuditEvent {
        id: Uuid::from_u128(number),
        at: Timestamp::from_micros(5),
        actor: text("user/ada"),
        action: text("account.freeze"),
        resource: text(&format!("account/{number}")),
        origin: number.is_multiple_of(2).then(|| text("203.0.113.7")),
        outcome: AuditOutcome::Done,
        note: number.is_multiple_of(3).then(|| text("asked for")),
    }
}

fn chain(length: usize) -> Vec<AuditRecord> {
    let events: Vec<AuditEvent> = (0..u128::try_from(length).unwrap()).map(event).collect();
    AuditRecord::chain(0, (0, AuditHash::START), &events)
}

fn verdict(records: Vec<AuditRecord>, published: &[AuditCheckpoint]) -> AuditVerdict {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let log = Listed(records);
    let verdict = async { verify(&log, 0, published, &mut |_| ()).await };
    runtime.unwrap().block_on(verdict).unwrap()
}

#[track_caller]
fn broken(records: Vec<AuditRecord>, published: &[AuditCheckpoint]) -> (i64, AuditFaultKind) {
    match verdict(records, published) {
        AuditVerdict::Broken(AuditFault { sequence, kind, .. }) => (sequence, kind),
        AuditVerdict::Sound { .. } => panic!("it was not found"),
    }
}

fn is_sound(records: Vec<AuditRecord>, published: &[AuditCheckpoint]) -> bool {
    matches!(verdict(records, published), AuditVerdict::Sound { .. })
}

fn at(index: usize) -> i64 {
    i64::try_from(index).unwrap() + 1
}

/// Changes each field of a record.
const EDITS: [fn(&mut AuditRecord); 11] = [
    |record| record.event.id = Uuid::from_u128(999),
    |record| record.event.at = Timestamp::from_micros(6),
    |record| record.event.actor = text("user/bob"),
    |record| record.event.action = text("account.close"),
    |record| record.event.resource = text("account/999"),
    |record| record.event.origin = Some(text("198.51.100.1")),
    |record| record.event.outcome = AuditOutcome::Refused,
    |record| record.event.note = Some(text("never mind")),
    |record| {
        // The same letters in other fields.
        let (actor, action) = (record.event.actor.clone(), record.event.action.clone());
        (record.event.actor, record.event.action) = (action, actor);
    },
    |record| record.previous = AuditHash([7; 32]),
    |record| record.hash = AuditHash([7; 32]),
];

#[test]
fn each_field_is_part_of_what_is_bound() {
    for (number, edit) in EDITS.iter().enumerate() {
        let mut records = chain(9);
        edit(&mut records[4]);
        assert_eq!(
            broken(records, &[]),
            (5, AuditFaultKind::Edited),
            "{number}"
        );
    }
    let mut records = chain(9);
    records[4].partition = 1;
    let foreign = AuditFaultKind::Foreign { found: 1 };
    assert_eq!(broken(records, &[]), (5, foreign));
}

proptest! {
    #[test]
    fn an_edit_shows(length in 1_usize..30, which in 0_usize..30, edit in 0_usize..11) {
        let index = which % length;
        let mut records = chain(length);
        EDITS[edit](&mut records[index]);
        prop_assert_eq!(broken(records, &[]), (at(index), AuditFaultKind::Edited));
    }

    /// The changed record has a matching hash: the next record or a checkpoint
    /// detects it.
    #[test]
    fn an_edit_with_its_hash_shows(length in 1_usize..30, which in 0_usize..30) {
        let index = which % length;
        let mut records = chain(length);
        let published = AuditCheckpoint::of(&records[length - 1], Timestamp::from_micros(9));
        records[index].event.actor = text("user/eve");
        records[index].hash = records[index].computed();
        if index + 1 < length {
            prop_assert_eq!(broken(records, &[]), (at(index + 1), AuditFaultKind::Unbound));
        } else {
            prop_assert!(is_sound(records.clone(), &[]), "nothing behind it is bound to it");
            let found = broken(records, &[published]);
            prop_assert_eq!(found, (at(index), AuditFaultKind::NotAsPublished));
        }
    }

    #[test]
    fn a_removal_shows(length in 2_usize..30, which in 0_usize..30) {
        let index = which % (length - 1);
        let mut records = chain(length);
        records.remove(index);
        let kind = AuditFaultKind::OutOfPlace { found: at(index + 1) };
        prop_assert_eq!(broken(records, &[]), (at(index), kind));
    }

    /// An insertion is detected, even with matching hashes.
    #[test]
    fn an_insertion_shows(length in 1_usize..30, which in 0_usize..30) {
        let index = which % length;
        let mut records = chain(length);
        let previous = records[index].previous;
        let forged = AuditRecord::new(0, at(index), previous, event(777));
        records.insert(index, forged);
        let kind = AuditFaultKind::OutOfPlace { found: at(index) };
        prop_assert_eq!(broken(records, &[]), (at(index + 1), kind));
    }

    #[test]
    fn a_reorder_shows(length in 2_usize..30, one in 0_usize..30, other in 1_usize..30) {
        let one = one % length;
        let other = (one + 1 + other % (length - 1)) % length;
        let mut records = chain(length);
        records.swap(one, other);
        let first = one.min(other);
        let kind = AuditFaultKind::OutOfPlace { found: at(one.max(other)) };
        prop_assert_eq!(broken(records, &[]), (at(first), kind));
    }

    /// A cut tail is not visible in the chain, but a checkpoint detects it.
    #[test]
    fn a_cut_tail_shows_against_a_checkpoint(length in 2_usize..30, cut in 1_usize..29) {
        let left = length - 1 - (cut - 1) % (length - 1);
        let mut records = chain(length);
        let published = AuditCheckpoint::of(&records[length - 1], Timestamp::from_micros(9));
        let earlier = AuditCheckpoint::of(&records[left - 1], Timestamp::from_micros(8));
        records.truncate(left);
        prop_assert!(is_sound(records.clone(), &[]));
        prop_assert!(is_sound(records.clone(), &[earlier]));
        let found = broken(records, &[earlier, published]);
        prop_assert_eq!(found, (at(left), AuditFaultKind::CutOff));
    }

    /// All hashes are computed again from the changed record on.
    #[test]
    fn a_chain_written_anew_shows_against_a_checkpoint(
        length in 1_usize..30, which in 0_usize..30, known in 0_usize..30,
    ) {
        let (index, known) = (which % length, known % length);
        let records = chain(length);
        let published = AuditCheckpoint::of(&records[known], Timestamp::from_micros(9));
        let mut events: Vec<AuditEvent> = records.into_iter().map(|r| r.event).collect();
        events[index].actor = text("user/eve");
        let anew = AuditRecord::chain(0, (0, AuditHash::START), &events);
        prop_assert!(is_sound(anew.clone(), &[]));
        if known < index {
            prop_assert!(is_sound(anew, &[published]), "it speaks of what was before");
        } else {
            let found = broken(anew, &[published]);
            prop_assert_eq!(found, (at(known), AuditFaultKind::NotAsPublished));
        }
    }

    #[test]
    fn checkpoints_come_back_from_their_text(
        partition in any::<u16>(), sequence in 1_i64.., at in any::<i64>(),
        hash in any::<[u8; 32]>(), noise in ".{0,90}",
    ) {
        let at = Timestamp::from_micros(at);
        let checkpoint = AuditCheckpoint { partition, sequence, hash: AuditHash(hash), at };
        prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        prop_assert!(noise.parse::<AuditCheckpoint>().is_err());
    }
}

#[test]
fn checkpoints_that_contradict_each_other_are_no_proof() {
    let records = chain(5);
    let one = AuditCheckpoint::of(&records[2], Timestamp::from_micros(8));
    let mut other = one;
    other.hash = AuditHash([7; 32]);
    let found = broken(records.clone(), &[one, other]);
    assert_eq!(found, (3, AuditFaultKind::NotAsPublished));
    // Checkpoints of another partition are ignored.
    other.partition = 9;
    assert!(is_sound(records, &[one, other]));
}
