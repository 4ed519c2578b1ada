//! Idempotency keys, records, replays, purge.

use std::time::Duration;

use super::steps::{deposit, eur, given, owner, receipts, refusal, request, transfer};
use crate::StoreKit;
use crate::store_kit::{fresh, key, record_key, replayed};
use wallet_core::ledger::{Decided, KeyScope, KeyText, RecordKey};
use wallet_core::store::Purge;
use wallet_core::{
    AccountId, Command, HoldId, IdempotencyKey, LedgerId, OpenAccount, PlaceHold, Rejection,
    Release, Request, TransferId,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// The same request under the same key returns its first outcome, whatever happened
/// to the accounts since, and writes nothing.
pub async fn a_replay_answers_the_first_outcome(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let pay = || request("pay", transfer(ada, bob, 60));
    let first = fresh(kit.submit(pay()).await);
    kit.accept(deposit(ada, 500)).await;
    kit.pay(bob, ada, 10).await;
    let before = (kit.account(ada).await, kit.account(bob).await);
    assert_eq!(replayed(kit.submit(pay()).await), first);
    assert_eq!((kit.account(ada).await, kit.account(bob).await), before);
    assert_eq!(kit.entries(bob).await.len(), 2);
}

/// A replay returns every kind of receipt exactly as it was first returned, also
/// after a reopen.
pub async fn every_receipt_is_replayed_after_a_reopening(kit: &StoreKit) {
    let (ada, bob) = (AccountId::new(given(1)), AccountId::new(given(2)));
    let hold = HoldId::new(given(3));
    let paid = TransferId::new(given(4));
    let open = |id, name: &str| OpenAccount::new(owner(name), eur()).with_id(Some(id));
    let commands: Vec<Command> = vec![
        open(ada, "ada").into(),
        open(bob, "bob").into(),
        deposit(ada, 100).into(),
        transfer(ada, bob, 20).with_id(Some(paid)).into(),
        PlaceHold::new(ada, bob, super::steps::cents(30))
            .with_id(Some(hold))
            .into(),
        wallet_core::Capture::new(hold)
            .with_amount(Some(super::steps::amount(5)))
            .into(),
        Release::new(hold).into(),
        wallet_core::Reverse::new(paid).into(),
        wallet_core::ChangeStatus::new(bob, wallet_core::Status::Frozen).into(),
    ];
    let asked = || Request::of_many(key("all"), commands.clone());
    let first = fresh(kit.submit(asked()).await);
    assert_eq!(receipts(&first).len(), 9);
    kit.accept(deposit(ada, 1)).await;
    kit.reopen().await;
    assert_eq!(replayed(kit.submit(asked()).await), first);
    assert_eq!(kit.balances(ada).await, (96, 96));
}

/// Another request under a used key is a mismatch. Nothing is written, and the
/// first outcome stays.
pub async fn another_request_under_the_key_is_a_mismatch(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let first = fresh(kit.submit(request("pay", transfer(ada, bob, 60))).await);
    let other = kit.submit(request("pay", transfer(ada, bob, 61))).await;
    assert_eq!(other, Decided::IdempotencyMismatch);
    kit.reopen().await;
    let other = kit.submit(request("pay", transfer(bob, ada, 60))).await;
    assert_eq!(other, Decided::IdempotencyMismatch);
    let record = kit.store().records(&[record_key("pay")]).await.unwrap();
    assert_eq!(record[0].as_ref().unwrap().outcome, first);
    assert_eq!(kit.balances(bob).await, (60, 60));
}

/// A refusal is recorded and replayed, even when the request would succeed now.
pub async fn a_refusal_is_recorded_and_replayed(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let pay = || request("pay", transfer(ada, bob, 60));
    let first = fresh(kit.submit(pay()).await);
    assert_eq!(refusal(&first).rejection, Rejection::InsufficientFunds);
    kit.accept(deposit(ada, 100)).await;
    kit.reopen().await;
    assert_eq!(replayed(kit.submit(pay()).await), first);
    assert_eq!(kit.balances(bob).await, (0, 0));
    let again = fresh(
        kit.submit(request("pay again", transfer(ada, bob, 60)))
            .await,
    );
    assert!(again.result.is_ok());
}

/// Equal texts are different keys in another scope and in another ledger.
pub async fn scopes_and_ledgers_keep_keys_apart(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let text = KeyText::new("k").unwrap();
    let scoped = |scope: &str| IdempotencyKey::new(KeyScope::new(scope).unwrap(), text.clone());
    let keys = [scoped("a"), scoped("b"), scoped("c")];
    for (key, minor) in keys.iter().zip([1, 10, 100]) {
        fresh(
            kit.submit(Request::new(key.clone(), deposit(ada, minor)))
                .await,
        );
    }
    assert_eq!(kit.balances(ada).await, (111, 111));
    let far = LedgerId::new(9);
    let open = OpenAccount::new(owner("ada"), eur());
    let elsewhere = Request::new(scoped("a"), open).in_ledger(far);
    let opened = fresh(kit.submit(elsewhere.clone()).await);
    assert_eq!(replayed(kit.submit(elsewhere).await), opened);
    for (key, minor) in keys.iter().zip([1, 10, 100]) {
        replayed(
            kit.submit(Request::new(key.clone(), deposit(ada, minor)))
                .await,
        );
    }
    let found = [scoped("a").record_key(far), scoped("b").record_key(far)];
    let found = kit.store().records(&found).await.unwrap();
    assert_eq!(
        found[0].as_ref().map(|record| &record.outcome),
        Some(&opened)
    );
    assert_eq!(found[1], None);
}

/// Records are returned in the order of the keys, with `None` for unused keys.
pub async fn records_are_answered_in_the_order_asked(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let mut outcomes = Vec::new();
    for text in ["one", "two", "three"] {
        outcomes.push(fresh(kit.submit(request(text, deposit(ada, 5))).await));
    }
    let keys = ["three", "none", "one", "two"].map(record_key);
    let found = kit.store().records(&keys).await.unwrap();
    let found: Vec<_> = found
        .into_iter()
        .map(|r| r.map(|r| (r.key, r.outcome)))
        .collect();
    let at = |text, index: usize| Some((record_key(text), outcomes[index].clone()));
    assert_eq!(found, [at("three", 2), None, at("one", 0), at("two", 1)]);
    assert_eq!(kit.store().records(&[]).await.unwrap(), []);
}

/// One batch may contain replays, mismatches and new requests.
pub async fn replays_and_new_requests_share_a_batch(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let first = fresh(kit.submit(request("a", deposit(ada, 1))).await);
    let batch = [
        request("a", deposit(ada, 1)),
        request("b", deposit(ada, 10)),
        request("a2", deposit(ada, 100)),
    ];
    let mut prepared = batch.map(|request| kit.prepare(request)).to_vec();
    fresh(kit.submit(request("a2", deposit(ada, 1_000))).await);
    prepared.push(kit.prepare(request("c", deposit(ada, 10_000))));
    let mut decided = kit.transact(prepared).await.into_iter();
    assert_eq!(replayed(decided.next().unwrap()), first);
    fresh(decided.next().unwrap());
    assert_eq!(decided.next(), Some(Decided::IdempotencyMismatch));
    fresh(decided.next().unwrap());
    assert_eq!(kit.balances(ada).await, (11_011, 11_011));
}

/// A purge deletes records by age, oldest first, up to the limit. A key without its
/// record is new again.
pub async fn a_purge_deletes_the_oldest_records_first(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open("ada").await;
    let texts = ["one", "two", "three", "four"];
    for text in texts {
        kit.advance(HOUR);
        fresh(kit.submit(request(text, deposit(ada, 5))).await);
    }
    let purge = async |older_than, limit| {
        let purge = Purge::Records { older_than, limit };
        let counted = kit.store().purgeable(purge).await.unwrap();
        let deleted = kit.store().purge(purge).await.unwrap();
        assert_eq!(counted, deleted);
        deleted
    };
    let left = async || {
        let found = kit.store().records(&texts.map(record_key)).await.unwrap();
        found.iter().map(Option::is_some).collect::<Vec<_>>()
    };
    kit.forget_acknowledged();
    // The opening, three hours older than the last record, is the oldest of all.
    assert_eq!(purge(HOUR * 5, 100).await, 0);
    assert_eq!(purge(HOUR, 0).await, 0);
    assert_eq!(purge(HOUR, 2).await, 2);
    assert_eq!(left().await, [false, true, true, true]);
    assert_eq!(purge(HOUR, 100).await, 2);
    assert_eq!(left().await, [false, false, false, true]);
    assert_eq!(purge(HOUR, 100).await, 0);
    fresh(kit.submit(request("one", deposit(ada, 5))).await);
    replayed(kit.submit(request("four", deposit(ada, 5))).await);
    assert_eq!(kit.balances(ada).await, (25, 25));
}

/// Ids that a caller gave stay used when the record of their request is deleted.
pub async fn given_ids_outlive_their_records(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = AccountId::new(given(1));
    let (hold, paid) = (HoldId::new(given(2)), TransferId::new(given(3)));
    let bob = kit.open("bob").await;
    let open: Command = OpenAccount::new(owner("ada"), eur())
        .with_id(Some(ada))
        .into();
    let pay: Command = deposit(ada, 100).with_id(Some(paid)).into();
    let money = super::steps::cents(1);
    let place: Command = PlaceHold::new(ada, bob, money).with_id(Some(hold)).into();
    let all = [("open", open), ("pay", pay), ("place", place)];
    for (text, command) in &all {
        fresh(kit.submit(request(text, command.clone())).await);
    }
    kit.accept(Release::new(hold)).await;
    kit.advance(HOUR);
    kit.forget_acknowledged();
    let purge = Purge::Records {
        older_than: HOUR,
        limit: 100,
    };
    assert_eq!(kit.store().purge(purge).await.unwrap(), 5);
    kit.reopen().await;
    for (text, command) in all {
        let outcome = fresh(kit.submit(request(text, command)).await);
        assert_eq!(refusal(&outcome).rejection, Rejection::IdTaken, "{text}");
    }
    assert_eq!(kit.balances(ada).await, (100, 100));
}

/// The longest and the shortest keys are different keys.
pub async fn long_keys_are_kept_apart(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let scope = KeyScope::new(&"s".repeat(KeyScope::MAX_BYTES)).unwrap();
    let long = "k".repeat(KeyText::MAX_BYTES - 1);
    let texts = [
        format!("{long}a"),
        format!("{long}A"),
        long.clone(),
        format!("{long} "),
    ];
    let mut keys: Vec<RecordKey> = Vec::new();
    for text in texts {
        let key = IdempotencyKey::new(scope.clone(), KeyText::new(&text).unwrap());
        keys.push(key.record_key(LedgerId::default()));
        fresh(kit.submit(Request::new(key, deposit(ada, 1))).await);
    }
    let found = kit.store().records(&keys).await.unwrap();
    assert!(found.iter().all(Option::is_some));
    assert_eq!(kit.balances(ada).await, (4, 4));
}
