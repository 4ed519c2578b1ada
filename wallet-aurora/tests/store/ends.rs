//! The ends of number ranges. The last number is used. The next request is refused or
//! fails, without a partial result.

use std::sync::Arc;
use std::time::Duration;

use wallet_aurora::AuroraStore;
use wallet_core::ledger::{AccountState, Decided};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::{LedgerStore, Order, Outbox, OutboxError, StoreErrorKind};
use wallet_core::{EntryQuery, Rejection};
use wallet_test_servers::Kind;

use crate::support::books::{
    accepted, account_key, assert_sound, commit, open, opening, posted, set_up, transfer,
};
use crate::support::{Database, on_both};

on_both! {
    a_version_and_a_sequence_end_with_the_last_number
    commits_end_with_an_error_and_nothing_half
    the_tokens_of_a_lease_end_with_an_error
}

async fn state(store: &AuroraStore, number: u8) -> AccountState {
    let accounts = store.accounts(&[account_key(number)]).await.unwrap();
    accounts[0].as_ref().unwrap().state
}

fn refused(decided: &Decided) -> Rejection {
    match decided {
        Decided::Fresh(outcome) | Decided::Replayed(outcome) => {
            outcome.result.as_ref().unwrap_err().rejection
        }
        other => panic!("{other:?}"),
    }
}

async fn a_version_and_a_sequence_end_with_the_last_number(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 1_000).await;
    let last_but_one = i64::MAX - 1;
    let plant = format!(
        "UPDATE wallet_account SET version = {last_but_one}, sequence = {last_but_one}
         WHERE num = (SELECT num FROM wallet_account_profile WHERE id = x'{}00')",
        "11".repeat(15)
    );
    database.execute(&plant).await;
    assert_eq!(state(&store, 0).await.version, last_but_one);
    accepted(&commit(&store, vec![transfer("last", 0, 1, 10)]).await[0]);
    let now = state(&store, 0).await;
    assert_eq!((now.version, now.sequence), (i64::MAX, i64::MAX));
    assert_eq!(now.counters.posted(), 990);
    for (order, after, due) in [
        (Order::Ascending, Some(last_but_one), vec![i64::MAX]),
        (Order::Ascending, Some(i64::MAX), vec![]),
        (Order::Descending, None, vec![i64::MAX]),
    ] {
        let query = EntryQuery {
            order,
            after,
            ..EntryQuery::first(account_key(0), 1)
        };
        let entries = store.entries(&query).await.unwrap();
        let found: Vec<i64> = entries.iter().map(|entry| entry.sequence).collect();
        assert_eq!(found, due);
    }
    let paid = state(&store, 1).await;
    for (text, from, to) in [("out", 0, 1), ("in", 1, 0)] {
        let decided = commit(&store, vec![transfer(text, from, to, 10)]).await;
        assert_eq!(refused(&decided[0]), Rejection::CounterOverflow);
        let again = commit(&store, vec![transfer(text, from, to, 10)]).await;
        assert!(matches!(again[0], Decided::Replayed(_)));
        assert_eq!(refused(&again[0]), Rejection::CounterOverflow);
    }
    assert_eq!(state(&store, 0).await, now);
    assert_eq!(state(&store, 1).await, paid);
}

async fn commits_end_with_an_error_and_nothing_half(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 1_000).await;
    // The rows of a commit are numbered from 65,536 times the commit's own number.
    let last = (1_i64 << 47) - 1;
    let plant = format!("ALTER TABLE wallet_batch AUTO_INCREMENT = {last}");
    database.execute(&plant).await;
    let both = ["a", "b"].map(|text| transfer(text, 0, 1, 1));
    for decided in commit(&store, both.to_vec()).await {
        accepted(&decided);
    }
    assert_eq!(posted(&store, 0).await, 998);
    let fails = async |requests: Vec<Arc<PreparedRequest>>| {
        let batch = Arc::new(Batch::new(requests));
        let error = store.transact(batch).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Internal, "{error}");
    };
    fails(vec![transfer("c", 0, 1, 1)]).await;
    fails(vec![opening("d", 100), transfer("e", 0, 1, 1)]).await;
    assert_eq!(posted(&store, 0).await, 998);
    let opened = store.accounts(&[account_key(100)]).await.unwrap();
    assert_eq!(opened, [None]);
    // Existing rows can still be read.
    let keys = ["a", "b"].map(crate::support::books::record_key);
    let records = store.records(&keys).await.unwrap();
    assert!(records.iter().all(Option::is_some));
    assert_sound(&store).await;
}

async fn the_tokens_of_a_lease_end_with_an_error(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    let minute = Duration::from_secs(60);
    store.acquire("relay", minute).await.unwrap().unwrap();
    let plant = format!("UPDATE wallet_lease SET token = {}", i64::MAX - 1);
    database.execute(&plant).await;
    let last = store.acquire("relay", minute).await.unwrap().unwrap();
    assert_eq!(last.token, i64::MAX);
    let OutboxError::Store(error) = store.acquire("relay", minute).await.unwrap_err() else {
        panic!("not of the store");
    };
    assert_eq!(error.kind(), StoreErrorKind::Internal);
    // The current owner keeps the lease.
    store.renew(&last, minute).await.unwrap();
}
