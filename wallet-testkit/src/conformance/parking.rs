//! Parked events.

use super::steps::at_home;
use crate::StoreKit;
use wallet_core::AccountId;
use wallet_core::store::{DoneSet, EventIndex, ParkedEvent, Resolution, RowId, RowState};

fn event(row: RowId, index: EventIndex, reason: &str) -> ParkedEvent {
    ParkedEvent {
        row,
        index,
        account: at_home(AccountId::new(super::steps::given(1))),
        version: 7,
        reason: reason.to_owned(),
    }
}

/// Parked events are listed by row and index with all fields, durably. Parking is
/// idempotent.
pub async fn parked_events_come_in_order(kit: &StoreKit) {
    let rows = kit.rows(2).await;
    let lease = kit.lease().await;
    let why = "refused: \u{1F6AB} 'no'";
    let events = [
        event(rows[0], 3, why),
        event(rows[1], 0, "second"),
        event(rows[1], 11, "third"),
    ];
    for index in [2, 0, 1] {
        kit.outbox().park(&lease, &events[index]).await.unwrap();
    }
    kit.outbox().park(&lease, &events[1]).await.unwrap();
    assert_eq!(kit.outbox().parked().await.unwrap(), events);
    assert_eq!(kit.outbox().depth().await.unwrap().parked, 3);
    kit.reopen().await;
    assert_eq!(kit.outbox().parked().await.unwrap(), events);
}

/// A parked event keeps its row open.
pub async fn a_parked_event_keeps_its_row_open(kit: &StoreKit) {
    let rows = kit.rows(2).await;
    let lease = kit.lease().await;
    kit.outbox()
        .park(&lease, &event(rows[0], 0, "no"))
        .await
        .unwrap();
    kit.mark(&lease, rows[0], &[1], RowState::Open).await;
    let open = kit.claim(&lease, &[], 10).await;
    assert_eq!((open[0].id, &open[0].done), (rows[0], &DoneSet::from([1])));
    assert_eq!(kit.outbox().depth().await.unwrap().rows, 2);
}

/// Skipping a parked event marks it as done for good.
pub async fn a_skipped_event_is_done(kit: &StoreKit) {
    let rows = kit.rows(1).await;
    let lease = kit.lease().await;
    kit.mark(&lease, rows[0], &[0], RowState::Open).await;
    kit.outbox()
        .park(&lease, &event(rows[0], 2, "no"))
        .await
        .unwrap();
    let skip = Resolution::Skip;
    assert!(kit.outbox().unpark(rows[0], 2, skip).await.unwrap());
    assert!(!kit.outbox().unpark(rows[0], 2, skip).await.unwrap());
    assert_eq!(kit.outbox().parked().await.unwrap(), []);
    let open = kit.claim(&lease, &[], 10).await;
    assert_eq!(open[0].done, DoneSet::from([0, 2]));
}

/// A redriven event can be tried again, and parked again.
pub async fn a_redriven_event_is_tried_again(kit: &StoreKit) {
    let rows = kit.rows(1).await;
    let lease = kit.lease().await;
    let parked = event(rows[0], 0, "no");
    kit.outbox().park(&lease, &parked).await.unwrap();
    let redrive = Resolution::Redrive;
    assert!(kit.outbox().unpark(rows[0], 0, redrive).await.unwrap());
    assert_eq!(kit.outbox().parked().await.unwrap(), []);
    assert_eq!(kit.claim(&lease, &[], 10).await[0].done, DoneSet::new());
    kit.outbox().park(&lease, &parked).await.unwrap();
    assert_eq!(kit.outbox().parked().await.unwrap(), [parked]);
}

/// Ending the parking of an event that is not parked changes nothing.
pub async fn what_is_not_parked_is_left_alone(kit: &StoreKit) {
    let rows = kit.rows(1).await;
    let lease = kit.lease().await;
    for resolution in [Resolution::Skip, Resolution::Redrive] {
        assert!(!kit.outbox().unpark(rows[0], 0, resolution).await.unwrap());
    }
    assert_eq!(kit.claim(&lease, &[], 10).await[0].done, DoneSet::new());
}

/// Parking needs the lease. Ending it does not.
pub async fn ending_a_parking_needs_no_lease(kit: &StoreKit) {
    let rows = kit.rows(1).await;
    let lease = kit.lease().await;
    kit.outbox()
        .park(&lease, &event(rows[0], 0, "no"))
        .await
        .unwrap();
    kit.outbox().release(&lease).await.unwrap();
    let skip = Resolution::Skip;
    assert!(kit.outbox().unpark(rows[0], 0, skip).await.unwrap());
    let lease = kit.lease().await;
    assert_eq!(kit.claim(&lease, &[], 10).await[0].done, DoneSet::from([0]));
}
