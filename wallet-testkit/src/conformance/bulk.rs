//! Bulk requests and cancelled keys: one idempotency key moves money once.

use std::sync::Arc;
use std::time::Duration;

use super::steps::{deposit, receipts, refusal, request, transfer};
use crate::StoreKit;
use crate::store_kit::{fresh, key, record_key, replayed};
use wallet_core::ledger::{Decided, RecordKey};
use wallet_core::request::{BulkRequest, PreparedRequest};
use wallet_core::store::Purge;
use wallet_core::{AccountId, Command, Outcome, Rejection, Request};

const DAY: Duration = Duration::from_secs(86_400);

fn pays(from: AccountId, to: AccountId, amounts: &[i128]) -> Vec<Command> {
    let pay = |minor: &i128| transfer(from, to, *minor).into();
    amounts.iter().map(pay).collect()
}

fn item_key(text: &str, index: u32) -> RecordKey {
    record_key(text).item(index)
}

impl StoreKit {
    /// The items of a bulk request, prepared.
    fn prepare_bulk(&self, text: &str, items: Vec<Command>) -> Vec<Arc<PreparedRequest>> {
        self.prepare_items(BulkRequest::new(key(text), items))
    }

    async fn bulk(&self, text: &str, items: Vec<Command>) -> Vec<Decided> {
        self.transact(self.prepare_bulk(text, items)).await
    }

    async fn cancel(&self, key: RecordKey) -> Decided {
        let cancellation = Arc::new(PreparedRequest::cancellation(key));
        let mut decided = self.transact(vec![cancellation]).await;
        decided.pop().expect("one answer")
    }

    async fn recorded(&self, key: RecordKey) -> Option<Arc<Outcome>> {
        let mut found = self.store().records(&[key]).await.unwrap();
        found.pop().flatten().map(|record| record.outcome)
    }
}

fn assert_cancelled(decided: &Decided) {
    let Decided::Replayed(outcome) = decided else {
        panic!("not a replay: {decided:?}");
    };
    assert_eq!(refusal(outcome).rejection, Rejection::Cancelled);
}

/// Another body under the key of a bulk request moves nothing: items added, left
/// out or reordered, the same items as one atomic list, or one item alone. The
/// reverse holds too.
pub async fn another_body_under_the_key_moves_nothing(kit: &StoreKit) {
    let ada = kit.open_with("ada", 10_000).await;
    let bob = kit.open("bob").await;
    let first = kit.bulk("k", pays(ada, bob, &[100, 200])).await;
    for decided in first {
        fresh(decided);
    }
    assert_eq!(kit.balances(ada).await, (9_700, 9_700));
    let others: [&[i128]; 5] = [
        &[700, 100, 200],
        &[200, 100],
        &[100],
        &[100, 200, 300],
        &[7],
    ];
    for other in others {
        for decided in kit.bulk("k", pays(ada, bob, other)).await {
            assert_eq!(decided, Decided::IdempotencyMismatch, "{other:?}");
        }
        let list = Request::of_many(key("k"), pays(ada, bob, other));
        assert_eq!(kit.submit(list).await, Decided::IdempotencyMismatch);
    }
    let alone = request("k", transfer(ada, bob, 100));
    assert_eq!(kit.submit(alone).await, Decided::IdempotencyMismatch);
    fresh(kit.submit(request("one", transfer(ada, bob, 100))).await);
    for decided in kit.bulk("one", pays(ada, bob, &[100])).await {
        assert_eq!(decided, Decided::IdempotencyMismatch);
    }
    let list = Request::of_many(key("one"), pays(ada, bob, &[100]));
    assert_eq!(kit.submit(list).await, Decided::IdempotencyMismatch);
    assert_eq!(kit.balances(ada).await, (9_600, 9_600));
    assert_eq!(kit.balances(bob).await, (400, 400));
}

/// Within one batch, a second body under a key is a mismatch.
pub async fn a_batch_uses_a_key_for_one_body(kit: &StoreKit) {
    let ada = kit.open_with("ada", 10_000).await;
    let bob = kit.open("bob").await;
    let alone = kit.prepare(request("k", transfer(ada, bob, 100)));
    let mut batch = vec![alone];
    batch.extend(kit.prepare_bulk("k", pays(ada, bob, &[100, 200])));
    batch.extend(kit.prepare_bulk("l", pays(ada, bob, &[1_000])));
    batch.push(kit.prepare(request("l", transfer(ada, bob, 1_000))));
    let decided = kit.transact(batch).await;
    let is_fresh = |decided: &Decided| matches!(decided, Decided::Fresh(_));
    let fresh: Vec<bool> = decided.iter().map(is_fresh).collect();
    assert_eq!(fresh, [true, false, false, true, false]);
    assert_eq!(kit.balances(bob).await, (1_100, 1_100));
}

/// Equal items replay their outcomes, refusals too, also after a reopen. The key
/// has the number of items.
pub async fn a_bulk_request_replays_item_by_item(kit: &StoreKit) {
    let ada = kit.open_with("ada", 150).await;
    let bob = kit.open("bob").await;
    let items = || pays(ada, bob, &[100, 100, 50]);
    let first = kit.bulk("k", items()).await.into_iter().map(fresh);
    let first: Vec<Arc<Outcome>> = first.collect();
    assert_eq!(receipts(&first[0]).len(), 1);
    assert_eq!(refusal(&first[1]).rejection, Rejection::InsufficientFunds);
    assert_eq!(receipts(&first[2]).len(), 1);
    kit.accept(deposit(ada, 1_000)).await;
    kit.reopen().await;
    let again = kit.bulk("k", items()).await.into_iter().map(replayed);
    assert_eq!(again.collect::<Vec<_>>(), first);
    let bulk = kit.recorded(record_key("k")).await.expect("a record");
    assert_eq!(bulk.bulk_items(), Some(3));
    for (index, outcome) in (0..).zip(first) {
        let recorded = kit.recorded(item_key("k", index)).await;
        assert_eq!(recorded, Some(outcome), "item {index}");
    }
    assert_eq!(kit.balances(bob).await, (150, 150));
}

/// A bulk request that stopped midway continues at the first item without an
/// outcome. Nothing is done twice.
pub async fn a_bulk_request_is_resumed_where_it_stopped(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    let items = || pays(ada, bob, &[1, 10, 100]);
    let mut started = kit.prepare_bulk("k", items());
    started.truncate(1);
    let first = fresh(kit.transact(started).await.remove(0));
    kit.reopen().await;
    let mut decided = kit.bulk("k", items()).await.into_iter();
    assert_eq!(replayed(decided.next().unwrap()), first);
    for decided in decided {
        fresh(decided);
    }
    assert_eq!(kit.balances(bob).await, (111, 111));
    assert_eq!(kit.entries(bob).await.len(), 3);
}

/// An item is not decided before the previous item has an outcome.
pub async fn an_item_waits_for_the_one_before_it(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    let items = kit.prepare_bulk("k", pays(ada, bob, &[1, 10, 100]));
    let ahead = vec![Arc::clone(&items[1]), Arc::clone(&items[2])];
    let decided = kit.try_transact(ahead).await.unwrap().decided;
    assert_eq!(decided, [Decided::Blocked, Decided::Blocked]);
    assert_eq!(kit.recorded(record_key("k")).await, None);
    assert_eq!(kit.balances(bob).await, (0, 0));
    let first = kit.transact(vec![Arc::clone(&items[0])]).await;
    for decided in first {
        fresh(decided);
    }
    let rest = kit.transact(items[1..].to_vec()).await;
    for decided in rest {
        fresh(decided);
    }
    assert_eq!(kit.balances(bob).await, (111, 111));
}

/// After a cancellation every request under the key is refused as `cancelled`,
/// whatever its body is, and moves nothing.
pub async fn a_cancelled_key_moves_nothing(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    let cancelled = fresh(kit.cancel(record_key("k")).await);
    assert_eq!(refusal(&cancelled).rejection, Rejection::Cancelled);
    assert_eq!(replayed(kit.cancel(record_key("k")).await), cancelled);
    kit.reopen().await;
    for minor in [1, 10] {
        let alone = kit.submit(request("k", transfer(ada, bob, minor))).await;
        assert_eq!(replayed(alone), cancelled);
        let list = Request::of_many(key("k"), pays(ada, bob, &[minor, minor]));
        assert_eq!(replayed(kit.submit(list).await), cancelled);
        for item in kit.bulk("k", pays(ada, bob, &[minor, minor])).await {
            assert_eq!(replayed(item), cancelled);
        }
    }
    assert_eq!(kit.recorded(record_key("k")).await, Some(cancelled));
    assert_eq!(kit.recorded(item_key("k", 0)).await, None);
    assert_eq!(kit.balances(bob).await, (0, 0));
}

/// A cancellation after an outcome returns that outcome, accepted or refused.
pub async fn a_cancellation_changes_no_outcome(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let paid = fresh(kit.submit(request("paid", transfer(ada, bob, 60))).await);
    let refused = fresh(kit.submit(request("refused", transfer(ada, bob, 60))).await);
    for (text, outcome) in [("paid", &paid), ("refused", &refused)] {
        assert_eq!(replayed(kit.cancel(record_key(text)).await), *outcome);
        assert_eq!(kit.recorded(record_key(text)).await.as_ref(), Some(outcome));
    }
    let again = kit.submit(request("paid", transfer(ada, bob, 60))).await;
    assert_eq!(replayed(again), paid);
    assert_eq!(kit.balances(bob).await, (60, 60));
}

/// Decided items keep their outcome. Cancelled items never run.
pub async fn cancelled_items_never_run(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    let items = || pays(ada, bob, &[1, 10, 100]);
    let mut started = kit.prepare_bulk("k", items());
    started.truncate(1);
    let first = fresh(kit.transact(started).await.remove(0));
    let bulk = replayed(kit.cancel(record_key("k")).await);
    assert_eq!(bulk.bulk_items(), Some(3));
    assert_eq!(replayed(kit.cancel(item_key("k", 0)).await), first);
    for index in [1, 2] {
        fresh(kit.cancel(item_key("k", index)).await);
    }
    let decided = kit.bulk("k", items()).await;
    assert_eq!(decided[0], Decided::Replayed(first));
    decided[1..].iter().for_each(assert_cancelled);
    assert_eq!(kit.balances(bob).await, (1, 1));
}

/// The first items of bulk requests are not purged while later ones are in use,
/// whatever the order of their keys.
pub async fn a_purge_takes_no_first_item_away(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    kit.advance(DAY * 90);
    let older_than = DAY * 30;
    let purge = async || {
        let limit = 1_000;
        let purge = Purge::Records { older_than, limit };
        kit.store().purge(purge).await.unwrap()
    };
    kit.forget_acknowledged();
    assert_eq!(purge().await, 3);
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for text in keys {
        let mut started = kit.prepare_bulk(text, pays(ada, bob, &[1, 10]));
        started.truncate(1);
        fresh(kit.transact(started).await.remove(0));
    }
    kit.advance(DAY * 20);
    for text in keys {
        fresh(kit.bulk(text, pays(ada, bob, &[1, 10])).await.remove(1));
    }
    kit.advance(DAY * 20);
    assert_eq!(purge().await, 0);
    for text in keys {
        for decided in kit.bulk(text, pays(ada, bob, &[1, 10])).await {
            replayed(decided);
        }
    }
    assert_eq!(kit.balances(bob).await, (88, 88));
}

/// Records of a bulk request stay until its last item is old enough. Then all are
/// purged.
pub async fn a_purge_keeps_a_bulk_request_whole(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    kit.advance(DAY * 90);
    let purge = async |older_than| {
        let limit = 1_000;
        let purge = Purge::Records { older_than, limit };
        kit.store().purge(purge).await.unwrap()
    };
    kit.forget_acknowledged();
    assert_eq!(purge(DAY * 30).await, 3);
    let items = || pays(ada, bob, &[1, 10]);
    let mut started = kit.prepare_bulk("k", items());
    started.truncate(1);
    fresh(kit.transact(started).await.remove(0));
    kit.advance(DAY * 20);
    fresh(kit.bulk("k", items()).await.remove(1));
    fresh(kit.submit(request("later", transfer(ada, bob, 5))).await);
    kit.forget_acknowledged();
    // The first item is 40 days old, the last one 20.
    kit.advance(DAY * 20);
    assert_eq!(purge(DAY * 30).await, 0);
    let replay = kit.bulk("k", items()).await;
    for decided in replay {
        replayed(decided);
    }
    let other = kit.bulk("k", pays(ada, bob, &[7])).await;
    assert_eq!(other, [Decided::IdempotencyMismatch]);
    kit.advance(DAY * 20);
    kit.forget_acknowledged();
    assert_eq!(purge(DAY * 30).await, 4);
    for key in [record_key("k"), item_key("k", 0), item_key("k", 1)] {
        assert_eq!(kit.recorded(key).await, None);
    }
    // The key is free. These are other items, and old items do not block them.
    let again = kit.bulk("k", pays(ada, bob, &[2, 20])).await;
    for decided in again {
        fresh(decided);
    }
    assert_eq!(purge(DAY * 30).await, 0);
    let again = kit.bulk("k", pays(ada, bob, &[2, 20])).await;
    for decided in again {
        replayed(decided);
    }
    assert_eq!(kit.balances(bob).await, (38, 38));
}

/// A purge that may delete only one row still deletes all of a bulk request or nothing of
/// it. With an item gone and its bulk request left, a retry would carry the item out again.
pub async fn a_purge_never_leaves_a_part_of_a_bulk_request(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for text in keys {
        for decided in kit.bulk(text, pays(ada, bob, &[1, 10])).await {
            fresh(decided);
        }
    }
    kit.advance(DAY * 40);
    kit.forget_acknowledged();
    loop {
        let (older_than, limit) = (DAY * 30, 1);
        let purge = Purge::Records { older_than, limit };
        let purged = kit.store().purge(purge).await.unwrap();
        for text in keys {
            let mut there = Vec::new();
            for key in [record_key(text), item_key(text, 0), item_key(text, 1)] {
                there.push(kit.recorded(key).await.is_some());
            }
            assert!(
                there == [true; 3] || there == [false; 3],
                "{text}: {there:?}"
            );
        }
        if purged == 0 {
            break;
        }
    }
    assert_eq!(kit.recorded(record_key("a")).await, None);
    assert_eq!(kit.balances(bob).await, (88, 88));
}
