//! The lease on the outbox: one owner at a time, with fencing tokens.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::StoreKit;
use wallet_core::store::{DoneSet, Lease, Outbox, OutboxError, ParkedEvent, RowProgress, RowState};

/// The duration of leases in these cases.
const TTL: Duration = Duration::from_secs(60);

async fn acquire(outbox: &dyn Outbox, owner: &str) -> Option<Lease> {
    outbox.acquire(owner, TTL).await.expect("acquire")
}

fn is_lost<T: std::fmt::Debug>(answer: &Result<T, OutboxError>) -> bool {
    matches!(answer, Err(OutboxError::LeaseLost))
}

/// While one owner holds the lease, another cannot acquire it. The same owner
/// can, with a greater token.
pub async fn one_owner_has_it_at_a_time(kit: &StoreKit) {
    let outbox = kit.outbox();
    let lease = acquire(outbox.as_ref(), "a").await.expect("free");
    assert_eq!(lease.owner, "a");
    assert_eq!(acquire(outbox.as_ref(), "b").await, None);
    let again = acquire(outbox.as_ref(), "a").await.expect("its own");
    assert!(again.token > lease.token);
    assert_eq!(acquire(outbox.as_ref(), "b").await, None);
}

/// A released lease is free at once, and the next token is greater.
pub async fn a_released_lease_is_free_at_once(kit: &StoreKit) {
    let outbox = kit.outbox();
    let first = acquire(outbox.as_ref(), "a").await.expect("free");
    outbox.release(&first).await.unwrap();
    let second = acquire(outbox.as_ref(), "b").await.expect("free again");
    assert!(second.token > first.token);
    assert!(is_lost(&outbox.renew(&first, TTL).await));
}

/// Another owner can take over only when the lease has expired. A renewal moves the
/// end.
pub async fn a_takeover_waits_for_the_end(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let outbox = kit.outbox();
    let lease = acquire(outbox.as_ref(), "a").await.expect("free");
    assert_eq!(lease.until, kit.now().saturating_add(TTL));
    kit.advance(TTL / 2);
    let renewed = outbox.renew(&lease, TTL).await.unwrap();
    assert_eq!(renewed.token, lease.token);
    assert_eq!(renewed.until, kit.now().saturating_add(TTL));
    kit.advance(TTL.saturating_sub(Duration::from_micros(1)));
    assert_eq!(acquire(outbox.as_ref(), "b").await, None);
    kit.advance(Duration::from_micros(1));
    assert!(is_lost(&outbox.renew(&renewed, TTL).await), "expired");
    let taken = acquire(outbox.as_ref(), "b").await.expect("expired");
    assert!(taken.token > renewed.token);
    assert_eq!(acquire(outbox.as_ref(), "a").await, None);
}

/// A lease that ends far ahead was taken while the clock was ahead, so it is free.
/// If the new owner asks for an equally long one, it is held.
pub async fn a_lease_from_a_clock_ahead_is_free(kit: &StoreKit) {
    let outbox = kit.outbox();
    let hour = Duration::from_secs(3_600);
    let ahead = outbox.acquire("a", hour).await.unwrap().expect("free");
    assert_eq!(outbox.acquire("b", hour).await.unwrap(), None);
    let taken = acquire(outbox.as_ref(), "b").await.expect("free as well");
    assert!(taken.token > ahead.token);
    assert!(is_lost(&outbox.renew(&ahead, hour).await));
}

/// Every call refuses a lease that expired or was taken over, and changes nothing.
pub async fn a_lost_lease_changes_nothing(kit: &StoreKit) {
    let ada = kit.open_with("ada", 10).await;
    let outbox = kit.outbox();
    let lost = acquire(outbox.as_ref(), "a").await.expect("free");
    let row = outbox
        .claim(&lost, &BTreeSet::new(), 1)
        .await
        .unwrap()
        .remove(0);
    let current = acquire(outbox.as_ref(), "a").await.expect("its own");
    refuses_everything(kit, &lost, row.id, ada).await;
    let open = outbox.claim(&current, &BTreeSet::new(), 10).await.unwrap();
    assert_eq!(open[0], row);
    assert_eq!(outbox.parked().await.unwrap(), []);
    outbox.renew(&current, TTL).await.unwrap();
    if kit.drives_the_clock() {
        kit.advance(TTL);
        refuses_everything(kit, &current, row.id, ada).await;
        let next = acquire(outbox.as_ref(), "b").await.expect("expired");
        refuses_everything(kit, &current, row.id, ada).await;
        let open = outbox.claim(&next, &BTreeSet::new(), 10).await.unwrap();
        assert_eq!(open[0], row);
    }
}

async fn refuses_everything(
    kit: &StoreKit,
    lost: &Lease,
    row: i64,
    account: wallet_core::AccountId,
) {
    let outbox = kit.outbox();
    assert!(is_lost(&outbox.renew(lost, TTL).await), "renew");
    assert!(is_lost(&outbox.release(lost).await), "release");
    assert!(
        is_lost(&outbox.claim(lost, &BTreeSet::new(), 1).await),
        "claim"
    );
    let progress = [RowProgress {
        row,
        done: DoneSet::from([0]),
        state: RowState::Complete,
    }];
    assert!(
        is_lost(&outbox.mark_done(lost, &progress).await),
        "mark_done"
    );
    assert!(is_lost(&outbox.mark_done(lost, &[]).await), "mark nothing");
    assert!(is_lost(&outbox.reopen(lost).await), "reopen");
    let event = ParkedEvent {
        row,
        index: 0,
        account: super::steps::at_home(account),
        version: 1,
        reason: "no".to_owned(),
    };
    assert!(is_lost(&outbox.park(lost, &event).await), "park");
}

/// A forged token is no lease. The true lease stays valid.
pub async fn a_forged_token_is_no_lease(kit: &StoreKit) {
    kit.open("ada").await;
    let outbox = kit.outbox();
    let lease = acquire(outbox.as_ref(), "a").await.expect("free");
    let forged = Lease {
        token: lease.token + 1,
        ..lease.clone()
    };
    assert!(is_lost(&outbox.renew(&forged, TTL).await));
    outbox.renew(&lease, TTL).await.unwrap();
}

/// Leases and tokens are durable.
pub async fn leases_are_durable(kit: &StoreKit) {
    if !kit.can_reopen() {
        return;
    }
    let lease = acquire(kit.outbox().as_ref(), "a").await.expect("free");
    kit.reopen().await;
    let outbox = kit.outbox();
    assert_eq!(acquire(outbox.as_ref(), "b").await, None);
    outbox.renew(&lease, TTL).await.unwrap();
    outbox.release(&lease).await.unwrap();
    drop(outbox);
    kit.reopen().await;
    let next = acquire(kit.outbox().as_ref(), "b").await.expect("free");
    assert!(next.token > lease.token);
}
