//! Several threads at once. The order is random, but the final state must hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use super::steps::{
    amount, bank, deposit, eur, given, owner, request, settlement, transfer, withdrawal,
};
use crate::StoreKit;
use wallet_core::ledger::{Decided, HoldStatus};
use wallet_core::request::{BulkRequest, PreparedRequest, ReverseWhat};
use wallet_core::{
    AccountId, Capture, Command, Currency, Deposit, LedgerId, Money, OpenAccount, Outcome,
    PlaceHold, Rejection, Request, Reverse, TransferId, Withdrawal,
};

const THREADS: usize = 4;

impl StoreKit {
    /// Submits the requests of each list on a separate thread, concurrently, each
    /// list in its order. Returns the answers in the order of the lists.
    fn race(&self, lists: Vec<Vec<Request>>) -> Vec<Vec<Decided>> {
        let start = Barrier::new(lists.len());
        let answers: Vec<Mutex<Vec<Decided>>> = lists.iter().map(|_| Mutex::default()).collect();
        std::thread::scope(|scope| {
            for (list, answers) in lists.into_iter().zip(&answers) {
                let start = &start;
                scope.spawn(move || {
                    self.factory().block_on(Box::pin(async {
                        start.wait();
                        for request in list {
                            let decided = self.submit(request).await;
                            answers.lock().unwrap().push(decided);
                        }
                    }));
                });
            }
        });
        let answers = answers.into_iter();
        answers.map(|list| list.into_inner().unwrap()).collect()
    }

    /// Passes each list of prepared requests to the store on a separate thread,
    /// concurrently. Returns the answers in the order of the lists.
    fn race_prepared(&self, lists: Vec<Vec<Arc<PreparedRequest>>>) -> Vec<Vec<Decided>> {
        let start = Barrier::new(lists.len());
        let answers: Vec<Mutex<Vec<Decided>>> = lists.iter().map(|_| Mutex::default()).collect();
        std::thread::scope(|scope| {
            for (list, answers) in lists.into_iter().zip(&answers) {
                let start = &start;
                scope.spawn(move || {
                    self.factory().block_on(Box::pin(async {
                        start.wait();
                        *answers.lock().unwrap() = self.transact(list).await;
                    }));
                });
            }
        });
        let answers = answers.into_iter();
        answers.map(|list| list.into_inner().unwrap()).collect()
    }

    /// The same, with every thread sending the same commands under fresh keys.
    fn race_commands(&self, per_thread: usize, command: &Command) -> Vec<Arc<Outcome>> {
        let one = || Request::new(self.fresh_key(), command.clone());
        let list = || (0..per_thread).map(|_| one()).collect();
        let answers = self.race((0..THREADS).map(|_| list()).collect());
        answers
            .into_iter()
            .flatten()
            .map(crate::store_kit::fresh)
            .collect()
    }
}

fn accepted(outcomes: &[Arc<Outcome>]) -> usize {
    outcomes
        .iter()
        .filter(|outcome| outcome.result.is_ok())
        .count()
}

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

/// Concurrent holds never show a difference in the pending sums.
pub async fn pending_sums_are_of_one_state(kit: &StoreKit) {
    let (ada, bob) = (kit.open_with("ada", 1_000).await, kit.open("bob").await);
    let money = Money::minor(3, eur()).unwrap();
    let list = |_| {
        let place = |_| Request::new(kit.fresh_key(), PlaceHold::new(ada, bob, money));
        (0..20).map(place).collect::<Vec<_>>()
    };
    let lists: Vec<Vec<Request>> = (0..2).map(list).collect();
    let keys = [ada, bob].map(super::steps::at_home);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            kit.factory().block_on(Box::pin(async {
                loop {
                    // One more time after everything is done.
                    let is_last = is_done.load(Ordering::Relaxed);
                    let sums = kit.store().pending_sums(&keys).await.unwrap();
                    for sums in &sums {
                        assert!(sums.is_some_and(|sums| sums.is_even()), "{sums:?}");
                    }
                    if is_last {
                        let held = sums[0].map(|sums| (sums.debits_held, sums.holds));
                        assert_eq!(held, Some((120, 40)));
                        break;
                    }
                }
            }));
        });
        let answers = kit.race(lists);
        is_done.store(true, Ordering::Relaxed);
        looks.join().expect("sums of one state");
        let outcomes = answers.into_iter().flatten();
        let outcomes: Vec<_> = outcomes.map(crate::store_kit::fresh).collect();
        assert_eq!(accepted(&outcomes), 40);
    });
}

/// Concurrent payments never change the trial balance.
pub async fn a_trial_balance_is_of_one_state(kit: &StoreKit) {
    let (ada, bob) = (kit.open_with("ada", 1_000).await, kit.open("bob").await);
    let list = |pay: Command| {
        let pay = |_| Request::new(kit.fresh_key(), pay.clone());
        (0..40).map(pay).collect::<Vec<_>>()
    };
    let (to_bob, out) = (transfer(ada, bob, 1), withdrawal(ada, 1));
    let lists: Vec<Vec<Request>> = [to_bob.into(), out.into()].map(list).into();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            kit.factory().block_on(Box::pin(async {
                // At least once, and one more time after everything is done.
                while !is_done.load(Ordering::Relaxed) {
                    let sums = kit.store().trial_balance(LedgerId::default()).await;
                    let sums = sums.unwrap();
                    let [sum] = sums.as_slice() else {
                        panic!("not one currency: {sums:?}");
                    };
                    assert_eq!((sum.accounts, sum.posted), (3, 0));
                }
            }));
        });
        let answers = kit.race(lists);
        is_done.store(true, Ordering::Relaxed);
        looks.join().expect("sums of one state");
        let outcomes = answers.into_iter().flatten();
        let outcomes: Vec<_> = outcomes.map(crate::store_kit::fresh).collect();
        assert_eq!(accepted(&outcomes), 80);
    });
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

/// Concurrent spending never exceeds the available balance.
pub async fn no_money_is_spent_twice(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let take = Withdrawal::new(ada, super::steps::cents(9), settlement("bank"));
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
    let place = PlaceHold::new(ada, bob, super::steps::cents(10)).with_id(Some(hold));
    assert_eq!(accepted(&kit.race_commands(1, &place.into())), 1);
    assert_eq!(kit.balances(ada).await, (90, 80));
}

/// A settlement account or a currency that many concurrent requests need for the
/// first time is created once.
pub async fn what_is_needed_at_once_is_made_once(kit: &StoreKit) {
    let gems = Currency::new("GEMS", 0).unwrap();
    let outcomes = kit.race_commands(1, &OpenAccount::new(owner("x"), gems).into());
    assert_eq!(accepted(&outcomes), THREADS);
    let account = super::steps::opened(&super::steps::receipts(&outcomes[0])[0])
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

/// Past balances that were read during payments never change afterwards.
pub async fn a_balance_asked_for_meanwhile_holds(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open("ada").await;
    let key = super::steps::at_home(ada);
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            kit.factory().block_on(Box::pin(async {
                for _ in 0..30 {
                    let at = kit.now();
                    let past = kit.store().balance_at(key, at).await;
                    // A lock or version conflict is not an answer.
                    if let Ok(past) = past {
                        answers.lock().unwrap().push((at, past));
                    }
                    kit.advance(std::time::Duration::from_micros(1));
                }
            }));
        });
        scope.spawn(|| {
            kit.factory().block_on(Box::pin(async {
                for _ in 0..30 {
                    kit.accept(deposit(ada, 1)).await;
                }
            }));
        });
    });
    kit.advance(std::time::Duration::from_secs(1));
    for (at, past) in answers.into_inner().unwrap() {
        assert_eq!(kit.store().balance_at(key, at).await.unwrap(), past);
    }
    assert_eq!(kit.balances(ada).await, (30, 30));
}
