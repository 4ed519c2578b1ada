//! Audit logs.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use uuid::Uuid;

use wallet_core::Timestamp;
use wallet_core::audit::{
    AuditEvent, AuditHash, AuditLog, AuditOutcome, AuditRecord, AuditText, AuditVerdict, verify,
};
use wallet_core::store::StoreErrorKind;

type Kit = crate::Kit<dyn AuditLog>;

/// The greatest number of retries after conflicts.
const BUSY_MAX: usize = 1_000;

fn text(text: &str) -> AuditText {
    AuditText::new(text).unwrap()
}

fn event(number: u128) -> AuditEvent {
    AuditEvent {
        id: Uuid::from_u128(number),
        at: Timestamp::from_micros(1_790_000_000_000_001),
        actor: text("user/ada"),
        action: text("account.freeze"),
        resource: text("account/7"),
        origin: None,
        outcome: AuditOutcome::Done,
        note: None,
    }
}

fn events(numbers: impl IntoIterator<Item = u128>) -> Vec<AuditEvent> {
    numbers.into_iter().map(event).collect()
}

async fn append(kit: &Kit, partition: u16, events: &[AuditEvent]) -> Vec<AuditRecord> {
    for _ in 0..BUSY_MAX {
        match kit.port().append(partition, events).await {
            Ok(records) => return records,
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => panic!("the audit log failed: {error}"),
        }
    }
    panic!("the audit log was too busy {BUSY_MAX} times");
}

/// Reads the whole chain, which must be valid.
async fn chain(kit: &Kit, partition: u16) -> Vec<AuditRecord> {
    let mut all: Vec<AuditRecord> = Vec::new();
    loop {
        let after = all.last().map_or(0, |record| record.sequence);
        let page = kit.port().records(partition, after, 1_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page[0].sequence > after, "records that were read before");
        all.extend(page);
    }
    let verdict = verify(kit.port().as_ref(), partition, &[], &mut |_| ()).await;
    let last = all.last();
    let sound = AuditVerdict::Sound {
        sequence: last.map_or(0, |record| record.sequence),
        hash: last.map_or(AuditHash::START, |record| record.hash),
    };
    assert_eq!(verdict.unwrap(), sound);
    all
}

fn ids(records: &[AuditRecord]) -> Vec<u128> {
    let ids = records.iter().map(|record| record.event.id.as_u128());
    ids.collect()
}

/// A record reads back, with all optional fields and with none.
pub async fn a_record_reads_back_whole(kit: &Kit) {
    let longest = "\u{20ac}".repeat(AuditText::MAX_BYTES / 3);
    let mut given = Vec::new();
    let outcomes = [
        AuditOutcome::Done,
        AuditOutcome::Refused,
        AuditOutcome::Failed,
    ];
    for (number, outcome) in (1..).zip(outcomes) {
        for at in [i64::MIN, -1, 0, 1_790_000_000_123_456, i64::MAX] {
            given.push(AuditEvent {
                at: Timestamp::from_micros(at),
                outcome,
                actor: text(&longest),
                origin: Some(text("203.0.113.7")),
                note: Some(text(" spaces \"quotes\" \\ ")),
                ..event(number)
            });
        }
    }
    given.push(event(9));
    let answered = append(kit, 3, &given).await;
    let read = chain(kit, 3).await;
    assert_eq!(answered, read);
    let read: Vec<_> = read.into_iter().map(|record| record.event).collect();
    assert_eq!(read, given);
}

/// Records are linked to the previous one, over several calls.
pub async fn a_record_is_bound_to_the_one_before(kit: &Kit) {
    let mut last = (0, AuditHash::START);
    for number in 0..5 {
        for record in append(kit, 0, &events([number, number + 100])).await {
            assert_eq!((record.sequence, record.previous), (last.0 + 1, last.1));
            assert_eq!(record.hash, record.computed());
            last = (record.sequence, record.hash);
        }
    }
    assert_eq!(chain(kit, 0).await.len(), 10);
}

/// Events are in the given order, and not in the order of their ids.
pub async fn events_stand_in_the_order_given(kit: &Kit) {
    append(kit, 0, &events([5, 3, 9, 1])).await;
    append(kit, 0, &events([2])).await;
    assert_eq!(ids(&chain(kit, 0).await), [5, 3, 9, 1, 2]);
}

/// A call with hundreds of events works, however few the log writes in one step.
pub async fn hundreds_of_events_go_in_one_call(kit: &Kit) {
    let given = events(0..250);
    assert_eq!(append(kit, 0, &given).await.len(), 250);
    let all: Vec<u128> = (0..250).collect();
    assert_eq!(ids(&chain(kit, 0).await), all);
}

/// Each partition is a separate chain with its own first record.
pub async fn partitions_are_chains_of_their_own(kit: &Kit) {
    for number in 0..3 {
        for partition in [0, 1, u16::MAX] {
            append(kit, partition, &events([number + u128::from(partition)])).await;
        }
    }
    for partition in [0, 1, u16::MAX] {
        let due: Vec<u128> = (0..3).map(|n| n + u128::from(partition)).collect();
        assert_eq!(ids(&chain(kit, partition).await), due);
    }
    assert_eq!(chain(kit, 7).await, []);
}

/// An append without events appends nothing, and is no error.
pub async fn nothing_to_append_appends_nothing(kit: &Kit) {
    assert_eq!(append(kit, 0, &[]).await, []);
    append(kit, 0, &events([1])).await;
    assert_eq!(append(kit, 0, &[]).await, []);
    assert_eq!(ids(&chain(kit, 0).await), [1]);
}

/// Pages start after any sequence and respect the limit.
pub async fn pages_begin_at_their_cursor_and_end_at_their_limit(kit: &Kit) {
    append(kit, 0, &events(0..10)).await;
    for (after, limit, due) in [
        (0, 3, vec![0, 1, 2]),
        (3, 3, vec![3, 4, 5]),
        (8, 3, vec![8, 9]),
        (10, 3, vec![]),
        (i64::MAX, 3, vec![]),
        (0, 0, vec![]),
    ] {
        let page = kit.port().records(0, after, limit).await.unwrap();
        assert_eq!(ids(&page), due, "after {after}, at most {limit}");
    }
}

/// The last record of each partition is returned; `None` for an empty one.
pub async fn the_last_record_is_returned(kit: &Kit) {
    assert_eq!(kit.port().last(0).await.unwrap(), None);
    for number in 1..4 {
        let appended = append(kit, 0, &events([number, number + 10])).await;
        assert_eq!(kit.port().last(0).await.unwrap(), appended.last().cloned());
        assert_eq!(kit.port().last(1).await.unwrap(), None);
    }
}

/// Concurrent appends lose nothing and duplicate nothing.
pub async fn appends_at_once_make_one_chain(kit: &Kit) {
    let appends = (0..8_u128).map(|writer| async move {
        for step in 0..5 {
            let first = writer * 100 + step * 2;
            append(kit, 0, &events([first, first + 1])).await;
        }
    });
    join_all(appends).await;
    let chain = ids(&chain(kit, 0).await);
    let all: BTreeSet<u128> = chain.iter().copied().collect();
    assert_eq!((chain.len(), all.len()), (80, 80));
    let neighbours = chain.chunks(2);
    assert!(
        neighbours.into_iter().all(|pair| pair[0] + 1 == pair[1]),
        "events of one call stand together"
    );
}
