//! Claims rows, marks them as done, purges them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::steps::deposit;
use crate::StoreKit;
use wallet_core::store::{
    DoneSet, EventIndex, Lease, OutboxRow, Purge, RowId, RowProgress, RowState,
};

const TTL: Duration = Duration::from_secs(86_400);

impl StoreKit {
    /// The lease on the outbox, for a relay of the kit.
    pub(super) async fn lease(&self) -> Lease {
        let lease = self.outbox().acquire("relay", TTL).await;
        lease.expect("acquire").expect("nobody else has it")
    }

    /// The open rows.
    pub(super) async fn claim(&self, lease: &Lease, skip: &[RowId], limit: u32) -> Vec<OutboxRow> {
        let skip: BTreeSet<RowId> = skip.iter().copied().collect();
        let rows = self.outbox().claim(lease, &skip, limit).await;
        rows.expect("claim")
    }

    /// Marks events of a row.
    pub(super) async fn mark(
        &self,
        lease: &Lease,
        row: RowId,
        done: &[EventIndex],
        state: RowState,
    ) {
        let progress = [RowProgress {
            row,
            done: done.iter().copied().collect(),
            state,
        }];
        let marked = self.outbox().mark_done(lease, &progress).await;
        marked.expect("mark_done");
    }

    /// Opens an account and writes `count` rows. Returns their numbers.
    pub(super) async fn rows(&self, count: usize) -> Vec<RowId> {
        let ada = self.open("ada").await;
        for _ in 1..count {
            self.accept(deposit(ada, 1)).await;
        }
        let lease = self.lease().await;
        let rows = self.claim(&lease, &[], 10_000).await;
        assert_eq!(rows.len(), count, "one row per commit");
        rows.iter().map(|row| row.id).collect()
    }
}

fn ids(rows: &[OutboxRow]) -> Vec<RowId> {
    rows.iter().map(|row| row.id).collect()
}

/// Rows are claimed in order of their numbers, without skipped rows, up to the
/// limit. A claim changes nothing.
pub async fn rows_are_claimed_in_order(kit: &StoreKit) {
    let rows = kit.rows(5).await;
    assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
    let lease = kit.lease().await;
    assert_eq!(ids(&kit.claim(&lease, &[], 3).await), rows[..3]);
    assert_eq!(ids(&kit.claim(&lease, &[], 3).await), rows[..3]);
    assert_eq!(kit.claim(&lease, &[], 0).await, []);
    let skip = [rows[0], rows[2]];
    let rest = [rows[1], rows[3], rows[4]];
    assert_eq!(ids(&kit.claim(&lease, &skip, 10).await), rest);
    assert_eq!(ids(&kit.claim(&lease, &skip, 2).await), rest[..2]);
    assert_eq!(kit.claim(&lease, &rows, 10).await, []);
}

/// A complete row is not claimed again, whatever its done-set is.
pub async fn a_complete_row_is_not_claimed_again(kit: &StoreKit) {
    let rows = kit.rows(3).await;
    let lease = kit.lease().await;
    kit.mark(&lease, rows[1], &[0], RowState::Complete).await;
    assert_eq!(ids(&kit.claim(&lease, &[], 10).await), [rows[0], rows[2]]);
    kit.mark(&lease, rows[0], &[], RowState::Complete).await;
    assert_eq!(ids(&kit.claim(&lease, &[], 10).await), [rows[2]]);
    kit.reopen().await;
    let lease = kit.lease().await;
    assert_eq!(ids(&kit.claim(&lease, &[], 10).await), [rows[2]]);
}

/// A row that was put aside is not claimed until it is reopened. Meanwhile it
/// counts, keeps its done-set, and is durable.
pub async fn a_row_put_aside_is_not_claimed_until_reopened(kit: &StoreKit) {
    let rows = kit.rows(4).await;
    let lease = kit.lease().await;
    let before = kit.outbox().depth().await.unwrap();
    kit.mark(&lease, rows[0], &[1], RowState::Aside).await;
    kit.mark(&lease, rows[2], &[], RowState::Aside).await;
    assert_eq!(ids(&kit.claim(&lease, &[], 10).await), [rows[1], rows[3]]);
    assert_eq!(kit.outbox().depth().await.unwrap(), before);
    kit.reopen().await;
    let lease = kit.lease().await;
    assert_eq!(ids(&kit.claim(&lease, &[], 10).await), [rows[1], rows[3]]);
    assert_eq!(kit.outbox().reopen(&lease).await.unwrap(), 2);
    let open = kit.claim(&lease, &[], 10).await;
    assert_eq!(ids(&open), rows);
    assert_eq!(open[0].done, DoneSet::from([1]));
    assert_eq!(kit.outbox().reopen(&lease).await.unwrap(), 0);
}

/// A complete row stays complete, whatever is marked later.
pub async fn what_is_complete_stays_so(kit: &StoreKit) {
    let rows = kit.rows(2).await;
    let lease = kit.lease().await;
    kit.mark(&lease, rows[0], &[0], RowState::Complete).await;
    for state in [RowState::Open, RowState::Aside] {
        kit.mark(&lease, rows[0], &[1], state).await;
        assert_eq!(kit.outbox().reopen(&lease).await.unwrap(), 0);
        assert_eq!(ids(&kit.claim(&lease, &[], 10).await), [rows[1]]);
        assert_eq!(kit.outbox().depth().await.unwrap().rows, 1);
    }
}

/// Marks of a row add up, are idempotent, and are durable.
pub async fn marks_add_up(kit: &StoreKit) {
    let rows = kit.rows(2).await;
    let lease = kit.lease().await;
    kit.mark(&lease, rows[1], &[2, 0], RowState::Open).await;
    kit.mark(&lease, rows[1], &[2], RowState::Open).await;
    kit.mark(&lease, rows[1], &[70_000, 1], RowState::Open)
        .await;
    kit.mark(&lease, rows[1], &[], RowState::Open).await;
    let right = DoneSet::from([0, 1, 2, 70_000]);
    let claimed = kit.claim(&lease, &[], 10).await;
    assert_eq!(claimed[0].done, DoneSet::new());
    assert_eq!(claimed[1].done, right);
    kit.reopen().await;
    let lease = kit.lease().await;
    assert_eq!(kit.claim(&lease, &[rows[0]], 10).await[0].done, right);
    kit.mark(&lease, rows[1], &[], RowState::Complete).await;
    kit.mark(&lease, rows[1], &[5], RowState::Open).await;
    assert_eq!(ids(&kit.claim(&lease, &[], 10).await), [rows[0]]);
}

/// Several rows are marked atomically.
pub async fn several_rows_are_marked_together(kit: &StoreKit) {
    let rows = kit.rows(4).await;
    let lease = kit.lease().await;
    let progress = |row: RowId, done: &[EventIndex], state| RowProgress {
        row,
        done: done.iter().copied().collect(),
        state,
    };
    let progress = [
        progress(rows[3], &[1], RowState::Open),
        progress(rows[0], &[0], RowState::Complete),
        progress(rows[2], &[0, 1], RowState::Complete),
    ];
    kit.outbox().mark_done(&lease, &progress).await.unwrap();
    kit.outbox().mark_done(&lease, &[]).await.unwrap();
    let open = kit.claim(&lease, &[], 10).await;
    assert_eq!(ids(&open), [rows[1], rows[3]]);
    assert_eq!(open[1].done, DoneSet::from([1]));
}

/// A payload and its time read back as they were committed.
pub async fn a_row_has_the_time_of_its_commit(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let first = kit.now();
    kit.open("ada").await;
    kit.advance(Duration::from_secs(5));
    kit.open("bob").await;
    let lease = kit.lease().await;
    let rows = kit.claim(&lease, &[], 10).await;
    let times: Vec<_> = rows.iter().map(|row| row.created_at).collect();
    assert_eq!(times, [first, kit.now()]);
}

/// The depth counts incomplete rows, and returns the oldest of them and the number
/// of parked events.
pub async fn the_depth_counts_what_is_open(kit: &StoreKit) {
    let empty = kit.outbox().depth().await.unwrap();
    assert_eq!((empty.rows, empty.oldest, empty.parked), (0, None, 0));
    let rows = kit.rows(1).await;
    kit.advance(Duration::from_secs(5));
    kit.open("bob").await;
    let lease = kit.lease().await;
    let claimed = kit.claim(&lease, &[], 10).await;
    let depth = kit.outbox().depth().await.unwrap();
    assert_eq!((depth.rows, depth.oldest), (2, Some(claimed[0].created_at)));
    kit.mark(&lease, rows[0], &[0], RowState::Open).await;
    assert_eq!(kit.outbox().depth().await.unwrap().rows, 2);
    kit.mark(&lease, rows[0], &[0], RowState::Complete).await;
    let depth = kit.outbox().depth().await.unwrap();
    assert_eq!((depth.rows, depth.oldest), (1, Some(claimed[1].created_at)));
}

/// A purge deletes complete rows that are old enough, oldest first, up to the
/// limit, and no others.
pub async fn a_purge_deletes_delivered_rows_only(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let hour = Duration::from_secs(3_600);
    let ada = kit.open("ada").await;
    for _ in 0..4 {
        kit.advance(hour);
        kit.accept(deposit(ada, 1)).await;
    }
    let lease = kit.lease().await;
    let rows = ids(&kit.claim(&lease, &[], 10).await);
    for index in [0, 1, 2, 4] {
        kit.mark(&lease, rows[index], &[0], RowState::Complete)
            .await;
    }
    let purge = async |older_than, limit| {
        let purge = Purge::DeliveredEvents { older_than, limit };
        let counted = kit.store().purgeable(purge).await.unwrap();
        let deleted = kit.store().purge(purge).await.unwrap();
        assert_eq!(counted, deleted);
        deleted
    };
    assert_eq!(purge(hour * 5, 100).await, 0);
    assert_eq!(purge(hour, 0).await, 0);
    assert_eq!(purge(hour, 2).await, 2);
    assert_eq!(purge(hour, 100).await, 1);
    assert_eq!(purge(hour, 100).await, 0);
    assert_eq!(ids(&kit.claim(&lease, &[], 10).await), [rows[3]]);
    assert_eq!(purge(Duration::ZERO, 100).await, 1);
    // Row numbers are never reused, even when the last rows are deleted.
    kit.mark(&lease, rows[3], &[0], RowState::Complete).await;
    assert_eq!(purge(Duration::ZERO, 100).await, 1);
    kit.reopen().await;
    kit.accept(deposit(ada, 1)).await;
    let lease = kit.lease().await;
    assert!(kit.claim(&lease, &[], 10).await[0].id > rows[4]);
}
