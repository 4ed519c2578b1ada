//! Several threads at once. The order is random, but the final state must hold.

mod keys;
mod race;
mod reads;

use crate::StoreKit;
use crate::conformance::steps::{amount, bank, owner, settlement, transfer, withdrawal};
use wallet_core::ledger::HoldStatus;
use wallet_core::request::ReverseWhat;
use wallet_core::{
    Capture, Command, Currency, Deposit, Money, OpenAccount, Rejection, Request, Reverse,
    Withdrawal,
};

pub use keys::{
    a_key_is_cancelled_or_used_at_once, a_key_used_at_once_is_applied_once,
    a_key_used_for_two_bodies_at_once_is_applied_once, a_key_used_twice_at_once_is_applied_once,
    an_id_given_at_once_is_taken_once,
};
pub use reads::{
    a_balance_asked_for_meanwhile_holds, a_trial_balance_is_of_one_state,
    pending_sums_are_of_one_state,
};

use race::{THREADS, accepted};

/// Concurrent payments between the same accounts lose nothing.
pub async fn payments_at_once_lose_nothing(kit: &StoreKit) {
    let mut accounts = Vec::new();
    for name in ["ada", "bob", "eve"] {
        accounts.push(kit.open_with(name, 1_000).await);
    }
    let list = |thread: usize| {
        let pay = |step: usize| {
            let from = accounts[(thread + step) % 3];
            let to = accounts[(thread + step * 2 + 1) % 3];
            let pay: Command = if to == from {
                withdrawal(from, 1).into()
            } else {
                transfer(from, to, 1).into()
            };
            Request::new(kit.fresh_key(), pay)
        };
        (0..25).map(pay).collect::<Vec<_>>()
    };
    let answers = kit.race((0..THREADS).map(list).collect());
    let outcomes = answers.into_iter().flatten();
    let outcomes: Vec<_> = outcomes.map(crate::store_kit::fresh).collect();
    assert_eq!(accepted(&outcomes), 100);
    let mut entries = 0;
    let mut total = kit.balances(bank()).await.0;
    for account in accounts {
        total += kit.balances(account).await.0;
        entries += kit.entries(account).await.len();
    }
    entries += kit.entries(bank()).await.len();
    assert_eq!((total, entries), (0, 2 * (3 + 100)));
}

/// Concurrent spending never exceeds the available balance.
pub async fn no_money_is_spent_twice(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let take = Withdrawal::new(ada, crate::conformance::steps::cents(9), settlement("bank"));
    let outcomes = kit.race_commands(10, &take.into());
    assert_eq!(accepted(&outcomes), 11);
    let refused = outcomes
        .iter()
        .filter_map(|outcome| outcome.result.as_ref().err());
    assert!(
        refused
            .into_iter()
            .all(|r| r.rejection == Rejection::InsufficientFunds)
    );
    assert_eq!(kit.balances(ada).await, (1, 1));
}

/// A settlement account or a currency that many concurrent requests need for the
/// first time is created once.
pub async fn what_is_needed_at_once_is_made_once(kit: &StoreKit) {
    let gems = Currency::new("GEMS", 0).unwrap();
    let outcomes = kit.race_commands(1, &OpenAccount::new(owner("x"), gems).into());
    assert_eq!(accepted(&outcomes), THREADS);
    let account =
        crate::conformance::steps::opened(&crate::conformance::steps::receipts(&outcomes[0])[0])
            .state
            .key
            .id;
    let money = Money::minor(3, gems).unwrap();
    let pay = Deposit::new(account, money, settlement("mine"));
    let outcomes = kit.race_commands(3, &pay.into());
    assert_eq!(accepted(&outcomes), 3 * THREADS);
    let mine = outcomes[0].transfers().next().unwrap().legs[0].from;
    let state = kit.account(mine).await.state;
    assert_eq!((state.version, state.sequence), (13, 12));
    assert_eq!(kit.balances(account).await, (36, 36));
}

/// Concurrent captures of one hold take no more than its amount.
pub async fn a_hold_is_captured_once(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let hold = kit.hold(ada, bob, 50).await;
    let capture = Capture::new(hold).with_amount(Some(amount(10)));
    let outcomes = kit.race_commands(3, &capture.into());
    assert_eq!(accepted(&outcomes), 5);
    let now = kit.hold_now(hold).await;
    assert_eq!((now.captured, now.status), (50, HoldStatus::Captured));
    assert_eq!(kit.balances(bob).await, (50, 50));
}

/// Concurrent reversals of one transfer reverse no more than it moved.
pub async fn a_transfer_is_reversed_once(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open_with("bob", 100).await;
    let paid = kit.pay(ada, bob, 50).await;
    let undo = Reverse::new(paid).with_what(ReverseWhat::Amount(amount(10)));
    let outcomes = kit.race_commands(3, &undo.into());
    assert_eq!(accepted(&outcomes), 5);
    assert_eq!(kit.transfer_now(paid).await.reversed, [50]);
    assert_eq!(kit.balances(bob).await, (100, 100));
}
