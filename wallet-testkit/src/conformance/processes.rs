//! Two processes on one store. Each has its own handle, and they communicate only
//! through the store.

use std::time::Duration;

use super::steps::{deposit, open_rows, request, settlement};
use crate::StoreKit;
use crate::store_kit::{fresh, record_key, replayed};
use wallet_core::ledger::Decided;
use wallet_core::{Request, Withdrawal};

/// Each process reads the other's commits and builds on them at once.
pub async fn each_sees_what_the_other_committed(kit: &StoreKit) {
    let Some(other) = kit.another().await else {
        return;
    };
    let ada = kit.open_with("ada", 100).await;
    let bob = other.open("bob").await;
    assert_eq!(other.account(ada).await, kit.account(ada).await);
    for _ in 0..5 {
        kit.pay(ada, bob, 3).await;
        other.pay(bob, ada, 1).await;
    }
    assert_eq!(kit.balances(bob).await, (10, 10));
    assert_eq!(other.balances(ada).await, (90, 90));
    let sequences: Vec<_> = kit.entries(bob).await.iter().map(|e| e.sequence).collect();
    assert_eq!(sequences, (1..=10).collect::<Vec<_>>());
    assert_eq!(other.entries(bob).await, kit.entries(bob).await);
    assert_eq!(other.violations(true).await, []);
}

/// A key that one process used is a replay or a mismatch in the other.
pub async fn a_key_used_by_the_other_is_a_replay(kit: &StoreKit) {
    let Some(other) = kit.another().await else {
        return;
    };
    let ada = kit.open("ada").await;
    // The other process has looked before, and found nothing.
    let none = other.store().records(&[record_key("a")]).await.unwrap();
    assert_eq!(none, [None]);
    let first = fresh(kit.submit(request("a", deposit(ada, 5))).await);
    assert_eq!(
        replayed(other.submit(request("a", deposit(ada, 5))).await),
        first
    );
    let mismatch = other.submit(request("a", deposit(ada, 6))).await;
    assert_eq!(mismatch, Decided::IdempotencyMismatch);
    assert_eq!(kit.balances(ada).await, (5, 5));
}

/// Two processes that pay from the same accounts concurrently lose nothing, spend
/// nothing twice, and apply each key once.
pub async fn both_at_once_lose_nothing(kit: &StoreKit) {
    let Some(other) = kit.another().await else {
        return;
    };
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open_with("bob", 100).await;
    let eve = kit.open_with("eve", 100).await;
    let work = async |kit: &StoreKit, from, to| {
        for number in 0..15 {
            let shared = request(&format!("shared {number}"), deposit(ada, 1));
            assert!(matches!(
                kit.submit(shared).await,
                Decided::Fresh(_) | Decided::Replayed(_)
            ));
            kit.pay(from, to, 1).await;
            let take = Withdrawal::new(eve, super::steps::cents(9), settlement("bank"));
            fresh(kit.submit(Request::new(kit.fresh_key(), take)).await);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| kit.factory().block_on(Box::pin(work(kit, ada, bob))));
        scope.spawn(|| other.factory().block_on(Box::pin(work(&other, bob, ada))));
    });
    assert_eq!(kit.balances(ada).await, (115, 115), "each key once");
    assert_eq!(kit.balances(bob).await, (100, 100));
    assert_eq!(kit.balances(eve).await, (1, 1), "eleven times nine");
    assert_eq!(kit.balances(super::steps::bank()).await, (-216, -216));
    assert_eq!(kit.entries(bob).await.len(), 1 + 30);
    assert_eq!(other.violations(true).await, []);
}

/// The lease of one process excludes the other, and the marks of one process are
/// visible to the other.
pub async fn the_outbox_is_shared(kit: &StoreKit) {
    let Some(other) = kit.another().await else {
        return;
    };
    let ada = kit.open_with("ada", 100).await;
    let ttl = Duration::from_secs(60);
    let lease = kit.outbox().acquire("one", ttl).await.unwrap();
    assert_eq!(other.outbox().acquire("two", ttl).await.unwrap(), None);
    kit.outbox().release(&lease.expect("free")).await.unwrap();
    other.accept(super::steps::withdrawal(ada, 1)).await;
    let rows = open_rows(kit.outbox().as_ref()).await;
    assert_eq!(rows, open_rows(other.outbox().as_ref()).await);
    assert_eq!(rows.len(), 3);
    assert!(rows.is_sorted_by_key(|row| row.id));
}
