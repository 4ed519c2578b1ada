//! Requests inside the host's transaction.

use std::path::PathBuf;

use rusqlite::{Connection, TransactionBehavior};
use tempfile::TempDir;
use wallet_core::Rejection;
use wallet_core::ledger::Decided;
use wallet_core::store::ApplyError;
use wallet_core::store::{LedgerStore, NotAccepted, StoreErrorKind};
use wallet_sqlite::{HostTransaction, SqliteStore};
use wallet_testkit::block_on;

use crate::support::{self, commit, posted, record_key, transfer};

struct Shop {
    folder: TempDir,
    store: SqliteStore,
    connection: Connection,
}

fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let store = support::open(&folder.path().join("shop.db"));
    support::set_up(&store, 100);
    let connection = Connection::open(folder.path().join("shop.db")).unwrap();
    connection
        .execute_batch("CREATE TABLE shop_order (id INTEGER PRIMARY KEY) STRICT")
        .unwrap();
    Shop {
        folder,
        store,
        connection,
    }
}

impl Shop {
    fn path(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    fn orders(&self) -> i64 {
        let count = "SELECT count(*) FROM shop_order";
        let row = self.connection.query_row(count, (), |row| row.get(0));
        row.unwrap()
    }

    fn is_recorded(&self, key: &str) -> bool {
        let records = block_on(self.store.records(&[record_key(key)])).unwrap();
        records[0].is_some()
    }
}

fn order(transaction: &HostTransaction<'_>, id: i64) {
    let connection = transaction.connection().unwrap();
    connection
        .execute("INSERT INTO shop_order VALUES (?)", (id,))
        .unwrap();
}

#[test]
fn an_order_and_its_payments_commit_together() {
    let mut shop = shop();
    let mut transaction = HostTransaction::begin(&mut shop.connection).unwrap();
    order(&transaction, 1);
    let requests = [transfer("a", 0, 1, 30), transfer("b", 1, 2, 120)];
    let applied = shop
        .store
        .apply_in_raw(&mut transaction, &requests)
        .unwrap();
    assert_eq!(applied.decided().len(), 2);
    assert_eq!(applied.after_commit().len(), 2, "each sees those before it");
    transaction.commit().unwrap();
    assert_eq!(shop.orders(), 1);
    assert_eq!([0, 1, 2].map(|n| posted(&shop.store, n)), [70, 10, 220]);
    support::assert_sound(&shop.store);
}

#[test]
fn a_roll_back_takes_the_payment_back_and_frees_its_key() {
    let mut shop = shop();
    let mut transaction = HostTransaction::begin(&mut shop.connection).unwrap();
    order(&transaction, 1);
    let _applied = shop
        .store
        .apply_in_raw(&mut transaction, &[transfer("a", 0, 1, 30)])
        .unwrap();
    transaction.rollback().unwrap();
    assert_eq!(shop.orders(), 0);
    assert!(!shop.is_recorded("a"));
    let again = commit(&shop.store, vec![transfer("a", 0, 1, 20)]);
    assert!(matches!(&again[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
    support::assert_sound(&shop.store);
}

#[test]
fn dropping_the_handle_rolls_back() {
    let mut shop = shop();
    let mut transaction = HostTransaction::begin(&mut shop.connection).unwrap();
    order(&transaction, 1);
    let _applied = shop
        .store
        .apply_in_raw(&mut transaction, &[transfer("a", 0, 1, 30)])
        .unwrap();
    drop(transaction);
    assert_eq!((shop.orders(), posted(&shop.store, 0)), (0, 100));
}

#[test]
fn a_refused_payment_rolls_the_order_back() {
    let mut shop = shop();
    let mut transaction = HostTransaction::begin(&mut shop.connection).unwrap();
    order(&transaction, 1);
    let requests = [transfer("a", 0, 1, 30), transfer("b", 0, 1, 71)];
    let applied = shop
        .store
        .apply_in_raw(&mut transaction, &requests)
        .unwrap();
    let refused = applied.accepted().unwrap_err();
    assert!(
        matches!(refused, NotAccepted::Rejected { request: 1, rejected }
            if rejected.rejection == Rejection::InsufficientFunds)
    );
    transaction.rollback().unwrap();
    assert_eq!((shop.orders(), posted(&shop.store, 0)), (0, 100));
    assert!(!shop.is_recorded("a") && !shop.is_recorded("b"));
}

#[test]
fn a_refusal_is_recorded_if_the_host_commits() {
    let mut shop = shop();
    let mut transaction = HostTransaction::begin(&mut shop.connection).unwrap();
    let applied = shop
        .store
        .apply_in_raw(&mut transaction, &[transfer("a", 0, 1, 101)])
        .unwrap();
    assert!(matches!(&applied.decided()[0], Decided::Fresh(outcome) if outcome.result.is_err()));
    assert!(applied.after_commit().is_empty());
    transaction.commit().unwrap();
    assert!(shop.is_recorded("a"));
}

#[test]
fn a_key_committed_before_is_replayed() {
    let mut shop = shop();
    commit(&shop.store, vec![transfer("a", 0, 1, 30)]);
    let mut transaction = HostTransaction::begin(&mut shop.connection).unwrap();
    let applied = shop
        .store
        .apply_in_raw(&mut transaction, &[transfer("a", 0, 1, 30)])
        .unwrap();
    assert!(matches!(&applied.decided()[0], Decided::Replayed(_)));
    assert!(applied.after_commit().is_empty());
    transaction.commit().unwrap();
    assert_eq!(posted(&shop.store, 0), 70);
}

#[test]
fn a_transaction_without_the_write_lock_is_refused() {
    let mut shop = shop();
    let deferred = shop.connection.transaction().unwrap();
    let refused = HostTransaction::adopt(deferred).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    let reading = shop.connection.transaction().unwrap();
    reading
        .query_row("SELECT count(*) FROM shop_order", (), |_| Ok(()))
        .unwrap();
    let refused = HostTransaction::adopt(reading).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    let immediate = TransactionBehavior::Immediate;
    let immediate = shop
        .connection
        .transaction_with_behavior(immediate)
        .unwrap();
    assert!(HostTransaction::adopt(immediate).is_ok());
}

#[test]
fn a_connection_to_another_file_is_refused() {
    let shop = shop();
    let other = shop.path().with_file_name("other.db");
    support::set_up(&support::open(&other), 100);
    let mut connection = Connection::open(other).unwrap();
    let mut transaction = HostTransaction::begin(&mut connection).unwrap();
    let refused = shop
        .store
        .apply_in_raw(&mut transaction, &[transfer("a", 0, 1, 30)]);
    let ApplyError::Store(error) = refused.unwrap_err() else {
        panic!("the transaction is not lost");
    };
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
}

#[cfg(unix)]
#[test]
fn a_connection_by_another_name_of_the_file_is_taken() {
    let shop = shop();
    let alias = shop.path().with_file_name("alias.db");
    std::os::unix::fs::symlink(shop.path(), &alias).unwrap();
    let mut connection = Connection::open(alias).unwrap();
    let mut transaction = HostTransaction::begin(&mut connection).unwrap();
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop
        .store
        .apply_in_raw(&mut transaction, &requests)
        .unwrap();
    assert_eq!(applied.after_commit().len(), 1);
    transaction.commit().unwrap();
    assert_eq!(posted(&shop.store, 0), 70);
}

#[test]
fn two_requests_with_one_key_are_refused() {
    let mut shop = shop();
    let mut transaction = HostTransaction::begin(&mut shop.connection).unwrap();
    let twice = [transfer("a", 0, 1, 30), transfer("a", 0, 1, 30)];
    let refused = shop
        .store
        .apply_in_raw(&mut transaction, &twice)
        .unwrap_err();
    assert!(matches!(refused, ApplyError::Store(error) if error.kind() == StoreErrorKind::Invalid));
}
