//! Accounts with one more entry in a batch are updated by their place in a list. The tests
//! use lists of any length, very large account numbers and the largest sums.

use wallet_core::store::LedgerStore;
use wallet_test_servers::Kind;

use crate::support::books::{
    accepted, account_key, assert_sound, commit, deposit, open, opening, posted, transfer,
};
use crate::support::{Database, on_both};

on_both! {
    each_account_gets_its_own_sum
    sums_and_numbers_are_exact_to_the_last_digit
}

/// The balance of an account that has only received money so far.
fn seed(number: u8) -> i128 {
    1_000 + i128::from(number)
}

async fn each_account_gets_its_own_sum(kind: Kind) {
    // A list with one place is searched in another way than a list of nine or more. If
    // there are more payers than payees, some accounts have several entries and are updated
    // in another way.
    for pairs in [1_u8, 2, 8, 9, 100] {
        let database = Database::create(kind).await;
        let store = open(&database).await;
        for number in 0..pairs * 2 {
            let requests = vec![
                opening(&format!("open-{number}"), number),
                deposit(&format!("seed-{number}"), number, seed(number)),
            ];
            for decided in commit(&store, requests).await {
                accepted(&decided);
            }
        }
        let pay = |pair: u8| transfer(&format!("pay-{pair}"), pair, pairs + pair, pair.into());
        let mut requests: Vec<_> = (1..pairs).map(pay).collect();
        // One account has two entries, the others have one each.
        requests.push(transfer("twice-1", 0, pairs, 5));
        requests.push(transfer("twice-2", 0, pairs, 6));
        for decided in commit(&store, requests).await {
            accepted(&decided);
        }
        for pair in 0..pairs {
            let paid = if pair == 0 { 11 } else { i128::from(pair) };
            assert_eq!(posted(&store, pair).await, seed(pair) - paid, "{pair}");
            let payee = pairs + pair;
            assert_eq!(posted(&store, payee).await, seed(payee) + paid, "{pair}");
        }
        assert_sound(&store).await;
    }
}

async fn sums_and_numbers_are_exact_to_the_last_digit(kind: Kind) {
    const MOST: i128 = 9_999_999_999_999_999_999_999_999_999;
    let database = Database::create(kind).await;
    let store = open(&database).await;
    // Account numbers are 65,536 times the number of their commit. These are beyond the
    // precision of a floating point number.
    let far = "ALTER TABLE wallet_batch AUTO_INCREMENT = 70000000000001";
    database.execute(far).await;
    let opened = (0..20).map(|number| opening(&format!("open-{number}"), number));
    for decided in commit(&store, opened.collect()).await {
        accepted(&decided);
    }
    for round in 0..3 {
        for number in 0..20 {
            let minor = MOST - i128::from(number);
            let seed = deposit(&format!("seed-{round}-{number}"), number, minor);
            accepted(&commit(&store, vec![seed]).await[0]);
        }
    }
    let pay = |pair: u8| transfer(&format!("pay-{pair}"), pair, 10 + pair, MOST - 100);
    for decided in commit(&store, (0..10).map(pay).collect()).await {
        accepted(&decided);
    }
    for pair in 0..10 {
        let seed = |number: u8| 3 * (MOST - i128::from(number));
        assert_eq!(posted(&store, pair).await, seed(pair) - (MOST - 100));
        let payee = 10 + pair;
        assert_eq!(posted(&store, payee).await, seed(payee) + (MOST - 100));
        let accounts = store.accounts(&[account_key(pair)]).await.unwrap();
        let state = accounts[0].as_ref().unwrap().state;
        assert_eq!((state.version, state.sequence), (5, 4));
    }
    assert_sound(&store).await;
}
