//! The ends of number ranges. The last number is used. The next request is refused or
//! fails, without a partial result.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::ledger::{AccountKey, Decided, InLedger};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::{LedgerStore, Order, Outbox, OutboxError, StoreErrorKind};
use wallet_core::{AccountId, EntryQuery, LedgerId, OpenAccount, Owner, Rejection};
use wallet_sqlite::SqliteStore;
use wallet_testkit::block_on;

use crate::support::{
    self, accepted, account_key, commit, open, open_unchecked, prepare, set_up, transfer,
};

/// The books of `set_up`, after the SQL `plant` has changed the file.
fn planted(folder: &Path, plant: &str) -> SqliteStore {
    let path = folder.join("wallet.db");
    let store = open(&path);
    set_up(&store, 1_000);
    drop(store);
    let file = Connection::open(&path).unwrap();
    file.execute_batch(plant).unwrap();
    drop(file);
    open_unchecked(&path)
}

fn state(store: &SqliteStore, key: AccountKey) -> wallet_core::ledger::AccountState {
    let accounts = block_on(store.accounts(&[key])).unwrap();
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

fn opening(text: &str, number: u8) -> Arc<PreparedRequest> {
    let open = OpenAccount::new(Owner::new("late").unwrap(), support::eur());
    prepare(text, open.with_id(late(number)))
}

fn late(number: u8) -> AccountId {
    AccountId::from_bytes([0x51 + number; 16])
}

#[test]
fn a_version_and_a_sequence_end_with_the_last_number() {
    let folder = tempfile::tempdir().unwrap();
    let last_but_one = i64::MAX - 1;
    let id = "11".repeat(16);
    let plant = format!(
        "UPDATE wallet_account SET version = {last_but_one}, sequence = {last_but_one}
         WHERE id = x'{id}'"
    );
    let store = planted(folder.path(), &plant);
    let before = state(&store, account_key(1));
    accepted(&commit(&store, vec![transfer("last", 0, 1, 10)])[0]);
    let now = state(&store, account_key(0));
    assert_eq!((now.version, now.sequence), (i64::MAX, i64::MAX));
    assert_eq!(now.counters.posted(), 990);
    let page = |order, after| {
        let query = EntryQuery {
            order,
            after,
            ..EntryQuery::first(account_key(0), 1)
        };
        let entries = block_on(store.entries(&query)).unwrap();
        let sequences: Vec<i64> = entries.iter().map(|entry| entry.sequence).collect();
        sequences
    };
    assert_eq!(page(Order::Ascending, Some(last_but_one)), [i64::MAX]);
    assert_eq!(page(Order::Ascending, Some(i64::MAX)), [0; 0]);
    assert_eq!(page(Order::Descending, None), [i64::MAX]);

    // The other account has room, but gets nothing.
    let paid = state(&store, account_key(1));
    assert_eq!(paid.version, before.version + 1);
    for (text, from, to) in [("out", 0, 1), ("in", 1, 0)] {
        let decided = commit(&store, vec![transfer(text, from, to, 10)]);
        assert_eq!(refused(&decided[0]), Rejection::CounterOverflow);
        let again = commit(&store, vec![transfer(text, from, to, 10)]);
        assert!(matches!(again[0], Decided::Replayed(_)));
        assert_eq!(refused(&again[0]), Rejection::CounterOverflow);
    }
    assert_eq!(state(&store, account_key(0)), now);
    assert_eq!(state(&store, account_key(1)), paid);
}

/// Gives this number to the latest journal row and to every row that points to it.
fn renumbered(last: i64) -> String {
    let old = "(SELECT max(id) FROM wallet_journal)";
    let names = [
        "wallet_record SET journal",
        "wallet_transfer SET journal",
        "wallet_entry SET journal",
        "wallet_account SET last_entry",
        "wallet_outbox SET first_id",
        "wallet_outbox SET id",
        "wallet_journal SET id",
    ];
    let updates = names.map(|name| {
        let column = name.rsplit(' ').next().unwrap();
        format!("UPDATE {name} = {last} WHERE {column} = {old};")
    });
    updates.concat()
}

#[test]
fn the_journal_ends_with_an_error_and_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    // There is room for two outcomes.
    let store = planted(folder.path(), &renumbered(i64::MAX - 3));
    support::assert_sound(&store);
    let fails = |requests: Vec<Arc<PreparedRequest>>| {
        let error = block_on(store.transact(Arc::new(Batch::new(requests)))).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Internal, "{error}");
    };
    let three = ["a", "b", "c"].map(|text| transfer(text, 0, 1, 1));
    fails(three.to_vec());
    assert_eq!(support::posted(&store, 0), 1_000);
    for decided in commit(&store, three[..2].to_vec()) {
        accepted(&decided);
    }
    assert_eq!(support::posted(&store, 0), 998);
    fails(vec![transfer("d", 0, 1, 1)]);
    fails(vec![opening("e", 0)]);
    // A replay needs no number, and existing rows can be read.
    for decided in commit(&store, three[..2].to_vec()) {
        assert!(matches!(decided, Decided::Replayed(_)));
    }
    assert_eq!(support::posted(&store, 0), 998);
    support::assert_sound(&store);
}

#[test]
fn the_numbers_of_accounts_end_with_an_error_and_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    let store = open(&path);
    set_up(&store, 1_000);
    accepted(&commit(&store, vec![opening("first", 0)])[0]);
    drop(store);
    let file = Connection::open(&path).unwrap();
    let id = "51".repeat(16);
    for table in ["wallet_account", "wallet_account_profile"] {
        let last = i64::MAX - 3;
        let plant = format!("UPDATE {table} SET num = {last} WHERE id = x'{id}'");
        assert_eq!(file.execute(&plant, ()).unwrap(), 1);
    }
    drop(file);
    let store = open(&path);
    let both = vec![opening("second", 1), opening("third", 2)];
    for decided in commit(&store, both) {
        accepted(&decided);
    }
    let mixed = vec![transfer("beside", 0, 1, 1), opening("fourth", 3)];
    let error = block_on(store.transact(Arc::new(Batch::new(mixed)))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Internal, "{error}");
    assert_eq!(support::posted(&store, 0), 1_000);
    let fourth = InLedger::new(LedgerId::default(), late(3));
    assert_eq!(block_on(store.accounts(&[fourth])).unwrap(), [None]);
    accepted(&commit(&store, vec![transfer("alone", 0, 1, 1)])[0]);
    support::assert_sound(&store);
}

#[test]
fn the_tokens_of_a_lease_end_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let plant = format!(
        "INSERT INTO wallet_lease (id, owner, token, until) VALUES (0, 'relay', {}, 0)",
        i64::MAX - 1
    );
    let store = planted(folder.path(), &plant);
    let take = || block_on(store.acquire("relay", Duration::from_secs(60)));
    let last = take().unwrap().unwrap();
    assert_eq!(last.token, i64::MAX);
    let OutboxError::Store(error) = take().unwrap_err() else {
        panic!("not of the store");
    };
    assert_eq!(error.kind(), StoreErrorKind::Internal);
    // The current owner keeps the lease.
    block_on(store.renew(&last, Duration::from_secs(60))).unwrap();
}
