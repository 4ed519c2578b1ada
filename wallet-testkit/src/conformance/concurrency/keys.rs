//! Keys and ids that several threads use at once.

use std::sync::Arc;

use super::race::{THREADS, accepted};
use crate::StoreKit;
use crate::conformance::steps::{deposit, eur, given, owner, request, transfer};
use wallet_core::ledger::Decided;
use wallet_core::request::{BulkRequest, PreparedRequest};
use wallet_core::{
    AccountId, Command, LedgerId, OpenAccount, Outcome, PlaceHold, Request, TransferId,
};

/// The same key from several threads is applied once. All callers get the same
/// outcome.
pub async fn a_key_used_at_once_is_applied_once(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let list = || {
        let texts = (0..10).map(|number| format!("key {number}"));
        texts
            .map(|text| request(&text, deposit(ada, 7)))
            .collect::<Vec<_>>()
    };
    let answers = kit.race((0..THREADS).map(|_| list()).collect());
    for number in 0..10 {
        let mut fresh = 0;
        let mut outcomes = Vec::new();
        for list in &answers {
            match &list[number] {
                Decided::Fresh(outcome) => {
                    fresh += 1;
                    outcomes.push(outcome);
                }
                Decided::Replayed(outcome) => outcomes.push(outcome),
                other => panic!("neither fresh nor replayed: {other:?}"),
            }
        }
        assert_eq!(fresh, 1, "key {number}");
        assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]));
    }
    assert_eq!(kit.balances(ada).await, (70, 70));
    assert_eq!(kit.entries(ada).await.len(), 10);
}

/// Of two different concurrent requests under one key, one is applied and the other
/// is a mismatch.
pub async fn a_key_used_twice_at_once_is_applied_once(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    for round in 0..5 {
        let text = format!("key {round}");
        let list = |minor| vec![request(&text, deposit(ada, minor))];
        let answers = kit.race((1..=4).map(list).collect());
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        let fresh = answers.iter().filter(|d| matches!(d, Decided::Fresh(_)));
        assert_eq!(fresh.count(), 1);
        let mismatch = answers
            .iter()
            .filter(|d| **d == Decided::IdempotencyMismatch);
        assert_eq!(mismatch.count(), 3);
    }
    assert_eq!(kit.entries(ada).await.len(), 5);
}

/// A key that is used concurrently for a transfer, for different bulk requests and
/// for a list is used for only one of them.
pub async fn a_key_used_for_two_bodies_at_once_is_applied_once(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    for round in 0..8 {
        let before = kit.balances(bob).await.0;
        let key = kit.fresh_key();
        let pay = |minor| -> Command { transfer(ada, bob, minor).into() };
        let bulk = |items: Vec<Command>| kit.prepare_items(BulkRequest::new(key.clone(), items));
        let lists = vec![
            vec![kit.prepare(Request::new(key.clone(), pay(1)))],
            bulk(vec![pay(2)]),
            bulk(vec![pay(2), pay(2)]),
            vec![kit.prepare(Request::of_many(key.clone(), vec![pay(8)]))],
        ];
        let answers = kit.race_prepared(lists);
        let is_fresh = |decided: &Decided| matches!(decided, Decided::Fresh(_));
        let fresh = answers.iter().map(|list| list.iter().all(is_fresh));
        let fresh: Vec<bool> = fresh.collect();
        let moved = kit.balances(bob).await.0 - before;
        let expected = [1, 2, 4, 8].into_iter().zip(&fresh);
        let expected: Vec<i128> = expected
            .filter(|(_, fresh)| **fresh)
            .map(|(m, _)| m)
            .collect();
        assert_eq!(expected, [moved], "round {round}: {answers:?}");
    }
}

/// A key that is cancelled while it is used is either cancelled or used. Both
/// callers get that result.
pub async fn a_key_is_cancelled_or_used_at_once(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    let mut expected = 0;
    for round in 0..8 {
        let key = kit.fresh_key();
        let record_key = key.record_key(LedgerId::default());
        let pay = Request::new(key, transfer(ada, bob, 1));
        let lists = vec![
            vec![kit.prepare(pay)],
            vec![Arc::new(PreparedRequest::cancellation(record_key))],
        ];
        let answers = kit.race_prepared(lists);
        let outcomes = answers.iter().flatten().map(|decided| match decided {
            Decided::Fresh(outcome) | Decided::Replayed(outcome) => Arc::clone(outcome),
            other => panic!("round {round}: {other:?}"),
        });
        let outcomes: Vec<Arc<Outcome>> = outcomes.collect();
        assert_eq!(outcomes[0], outcomes[1], "round {round}");
        expected += i128::from(!outcomes[0].is_cancelled());
        assert_eq!(kit.balances(bob).await.0, expected, "round {round}");
    }
}

/// A given id is used once under concurrency.
pub async fn an_id_given_at_once_is_taken_once(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let paid = TransferId::new(given(1));
    let pay = transfer(ada, bob, 10).with_id(Some(paid));
    assert_eq!(accepted(&kit.race_commands(1, &pay.into())), 1);
    let open = OpenAccount::new(owner("new"), eur()).with_id(Some(AccountId::new(given(2))));
    assert_eq!(accepted(&kit.race_commands(1, &open.into())), 1);
    let hold = wallet_core::HoldId::new(given(3));
    let place = PlaceHold::new(ada, bob, crate::conformance::steps::cents(10)).with_id(Some(hold));
    assert_eq!(accepted(&kit.race_commands(1, &place.into())), 1);
    assert_eq!(kit.balances(ada).await, (90, 80));
}
