//! Times: stable past balances, and clocks that step back.

use std::time::Duration;

use super::steps::{at_home, cents, deposit, given, posted, refusal, request, transfer};
use crate::StoreKit;
use crate::store_kit::{fresh, record_key};
use wallet_core::ledger::{Decided, Epoch, PastBalance, Sequence};
use wallet_core::request::MAX_AHEAD;
use wallet_core::store::StoreErrorKind;
use wallet_core::{AccountId, Leg, PostTransfer, Rejection, Timestamp};

const SECOND: Duration = Duration::from_secs(1);
const MICRO: Duration = Duration::from_micros(1);

impl StoreKit {
    /// Posted balance and sequence at a past time.
    async fn past(&self, account: AccountId, at: Timestamp) -> (i128, Sequence) {
        let past = self.store().balance_at(at_home(account), at).await;
        let PastBalance {
            posted,
            sequence,
            currency,
        } = past.expect("a past balance").expect("an account");
        assert_eq!(currency, super::steps::eur());
        (posted, sequence)
    }
}

/// A past balance counts every entry at or before the time, to the microsecond.
/// Before the first entry it is zero.
pub async fn a_past_balance_counts_what_was_posted_by_then(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open("ada").await;
    let opened_at = kit.now();
    kit.advance(SECOND);
    let first = kit.now();
    kit.accept(deposit(ada, 100)).await;
    kit.accept(deposit(ada, 10)).await;
    kit.advance(SECOND);
    let second = kit.now();
    kit.accept(deposit(ada, 1)).await;
    kit.advance(SECOND);
    assert_eq!(
        kit.past(ada, opened_at.saturating_sub(SECOND)).await,
        (0, 0)
    );
    assert_eq!(kit.past(ada, opened_at).await, (0, 0));
    assert_eq!(kit.past(ada, first.saturating_sub(MICRO)).await, (0, 0));
    assert_eq!(kit.past(ada, first).await, (110, 2));
    assert_eq!(kit.past(ada, first.saturating_add(MICRO)).await, (110, 2));
    assert_eq!(kit.past(ada, second.saturating_sub(MICRO)).await, (110, 2));
    assert_eq!(kit.past(ada, second).await, (111, 3));
    assert_eq!(kit.past(ada, kit.now()).await, (111, 3));
    assert_eq!(kit.past(super::steps::bank(), first).await, (-110, 2));
    // Holds are not part of it.
    let bob = kit.open("bob").await;
    kit.hold(ada, bob, 50).await;
    kit.advance(SECOND);
    assert_eq!(kit.past(ada, kit.now()).await, (111, 3));
}

/// A future time is refused. A missing account has no past balance.
pub async fn a_future_balance_is_refused(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open("ada").await;
    let store = kit.store();
    let next = kit.now().saturating_add(MICRO);
    let refused = store.balance_at(at_home(ada), next).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    let nobody = at_home(AccountId::new(given(404)));
    assert_eq!(store.balance_at(nobody, kit.now()).await.unwrap(), None);
}

/// A returned past balance never changes: not by later postings in the same
/// microsecond, and not when the clock steps back.
pub async fn an_answered_balance_never_changes(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    kit.advance(SECOND);
    let at = kit.now();
    assert_eq!(kit.past(ada, at).await, (100, 1));
    kit.accept(deposit(ada, 10)).await;
    assert_eq!(kit.past(ada, at).await, (100, 1));
    kit.clock().step_back(SECOND);
    kit.accept(deposit(ada, 1)).await;
    kit.advance(SECOND * 2);
    assert_eq!(kit.past(ada, at).await, (100, 1));
    assert_eq!(kit.past(ada, kit.now()).await, (111, 3));
    let entries = kit.entries(ada).await;
    assert!(entries[1].created_at > at && entries[2].created_at > at);
}

/// Reading a past balance changes only the account's latest time. Reading a time
/// long past does not change that either.
pub async fn asking_for_the_past_changes_no_balance(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let long_past = kit.now().saturating_sub(SECOND);
    let before = kit.account(ada).await;
    kit.past(ada, long_past).await;
    assert_eq!(kit.account(ada).await, before);
    kit.advance(SECOND);
    kit.past(ada, kit.now()).await;
    let mut after = kit.account(ada).await;
    assert_eq!(after.state.last_at, kit.now().saturating_add(MICRO));
    after.state.last_at = before.state.last_at;
    assert_eq!(after, before);
}

/// When the clock steps back, an account's times stand still.
pub async fn times_never_go_back_on_an_account(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let latest = kit.now();
    kit.clock().step_back(SECOND);
    kit.accept(deposit(ada, 1)).await;
    kit.advance(SECOND / 2);
    kit.accept(deposit(ada, 1)).await;
    let times: Vec<_> = kit
        .entries(ada)
        .await
        .iter()
        .map(|e| e.created_at)
        .collect();
    assert_eq!(times, [latest; 3]);
    kit.advance(SECOND);
    kit.accept(deposit(ada, 1)).await;
    let last = kit.account(ada).await.state.last_at;
    assert_eq!(last, latest.saturating_add(SECOND / 2));
}

/// A transfer has one time: the latest of the current time and of every account
/// that it touches. It becomes their time.
pub async fn a_transfer_has_one_time(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    kit.advance(SECOND);
    let eve = kit.open("eve").await;
    let latest = kit.now();
    kit.clock().step_back(SECOND / 2);
    let legs = vec![Leg::new(ada, bob, cents(5)), Leg::new(bob, eve, cents(5))];
    let receipt = posted(&kit.accept(PostTransfer::new(legs)).await);
    assert_eq!(receipt.transfer.created_at, latest);
    assert!(
        receipt
            .entries(Epoch::FIRST)
            .all(|entry| entry.created_at == latest)
    );
    for account in [ada, bob, eve] {
        assert_eq!(kit.account(account).await.state.last_at, latest);
    }
}

/// An account too far ahead of the clock is not touched. The request is not
/// decided, its key stays free, and it succeeds when the clock has caught up.
pub async fn a_clock_too_far_behind_decides_nothing(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let before = kit.account(ada).await;
    kit.clock().step_back(MAX_AHEAD + MICRO);
    let pay = || request("pay", transfer(ada, bob, 60));
    let micros = u64::try_from((MAX_AHEAD + MICRO).as_micros()).unwrap();
    let behind = Decided::ClockBehind {
        ahead_micros: micros,
    };
    assert_eq!(kit.submit(pay()).await, behind);
    assert_eq!(kit.account(ada).await, before);
    let none = kit.store().records(&[record_key("pay")]).await.unwrap();
    assert_eq!(none, [None]);
    kit.advance(MICRO);
    let outcome = fresh(kit.submit(pay()).await);
    assert_eq!(outcome.at, before.state.last_at);
    assert_eq!(kit.balances(bob).await, (60, 60));
}

/// In a batch, an account too far ahead stops only the requests on it.
pub async fn a_clock_behind_stops_only_those_concerned(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    kit.advance(MAX_AHEAD * 2);
    let late = kit.open("late").await;
    kit.clock().step_back(MAX_AHEAD * 2);
    let batch = [transfer(ada, late, 1), transfer(ada, bob, 1)];
    let batch =
        batch.map(|command| kit.prepare(wallet_core::Request::new(kit.fresh_key(), command)));
    let decided = kit.transact(batch.to_vec()).await;
    assert!(matches!(decided[0], Decided::ClockBehind { .. }));
    assert!(matches!(decided[1], Decided::Fresh(_)));
    assert_eq!(kit.balances(bob).await, (1, 1));
}

/// Refusals have a time too, and change no account's time.
pub async fn a_refusal_moves_no_time(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let before = kit.account(ada).await;
    kit.advance(SECOND);
    let outcome = kit.decide(vec![transfer(ada, bob, 1).into()]).await;
    assert_eq!(refusal(&outcome).rejection, Rejection::InsufficientFunds);
    assert_eq!(outcome.at, kit.now());
    assert_eq!(kit.account(ada).await, before);
}

/// Times before 1970 are valid times.
pub async fn times_before_1970_are_kept(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let start = Timestamp::from_micros(-5_000_001);
    kit.clock().set(start);
    let ada = kit.open_with("ada", 100).await;
    kit.advance(SECOND * 10);
    kit.accept(deposit(ada, 1)).await;
    assert_eq!(kit.account(ada).await.created_at, start);
    assert_eq!(kit.past(ada, start).await, (100, 1));
    assert_eq!(kit.past(ada, start.saturating_sub(MICRO)).await, (0, 0));
    assert_eq!(kit.past(ada, kit.now()).await, (101, 2));
}
