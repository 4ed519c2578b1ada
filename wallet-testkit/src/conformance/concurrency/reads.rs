//! Sums and past balances that are read while other threads commit.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::race::accepted;
use crate::StoreKit;
use crate::conformance::steps::{deposit, eur, transfer, withdrawal};
use wallet_core::{Command, LedgerId, Money, PlaceHold, Request};

/// Concurrent holds never show a difference in the pending sums.
pub async fn pending_sums_are_of_one_state(kit: &StoreKit) {
    let (ada, bob) = (kit.open_with("ada", 1_000).await, kit.open("bob").await);
    let money = Money::minor(3, eur()).unwrap();
    let list = |_| {
        let place = |_| Request::new(kit.fresh_key(), PlaceHold::new(ada, bob, money));
        (0..20).map(place).collect::<Vec<_>>()
    };
    let lists: Vec<Vec<Request>> = (0..2).map(list).collect();
    let keys = [ada, bob].map(crate::conformance::steps::at_home);
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

/// Past balances that were read during payments never change afterwards.
pub async fn a_balance_asked_for_meanwhile_holds(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open("ada").await;
    let key = crate::conformance::steps::at_home(ada);
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
