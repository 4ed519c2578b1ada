//! Stored rows that cannot be read. Each fails only the calls that need it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::ledger::{HoldKey, HoldStatus};
use wallet_core::request::Batch;
use wallet_core::store::{HoldQuery, LedgerStore, StoreErrorKind};
use wallet_core::{Hold, Leg, PlaceHold, PostTransfer, Request, Settings, Wallet, WalletError};
use wallet_sqlite::SqliteStore;
use wallet_testkit::block_on;

use crate::support::{
    self, accepted, account, account_key, commit, euros, key, open, record_key, set_up,
};

fn wallet(store: SqliteStore) -> Wallet {
    let wallet = Wallet::builder(Arc::new(store)).settings(Settings {
        sweep_interval: None,
        ..Settings::default()
    });
    wallet.spawn().unwrap()
}

fn pay(text: &str, from: u8, to: u8) -> Request {
    let leg = Leg::new(account(from), account(to), euros(1));
    Request::new(key(text), PostTransfer::new(vec![leg]))
}

/// Writes to the file while the store is open.
fn damage(path: &Path, sql: &str, bytes: &[u8], of: &[u8]) {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    let changed = connection.execute(sql, (bytes, of)).unwrap();
    assert_eq!(changed, 1, "{sql}");
}

#[tokio::test]
async fn a_damaged_outcome_fails_its_own_request_and_names_the_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    let store = open(&path);
    set_up(&store, 1_000);
    accepted(&commit(&store, vec![support::transfer("damaged", 0, 1, 1)])[0]);
    let hash = record_key("damaged").hash;
    let sql = "UPDATE wallet_journal SET outcome = ?1 WHERE hash = ?2";
    for bytes in [[0xFF_u8].as_slice(), &[1]] {
        damage(&path, sql, bytes, &hash);
        let wallet = wallet(open(&path));
        let text = |number: usize| format!("{}-{number}", bytes[0]);
        let mut requests: Vec<Request> = (0..20).map(|number| pay(&text(number), 2, 3)).collect();
        requests.insert(11, pay("damaged", 0, 1));
        for (index, answer) in wallet
            .submit_all_raw(requests)
            .await
            .into_iter()
            .enumerate()
        {
            match answer {
                Ok(answer) if index != 11 => drop(answer.accepted().unwrap()),
                Err(WalletError::Store(error)) if index == 11 => {
                    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
                    assert!(error.context().contains("wallet_journal"), "{error}");
                }
                other => panic!("{index}: {other:?}"),
            }
        }
        assert_eq!(wallet.stats().damaged, 1);
        wallet.shutdown().await;
    }
}

#[tokio::test]
async fn a_damaged_hold_stops_no_other_from_expiring() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    let store = open(&path);
    set_up(&store, 1_000);
    let requests = (0..9).map(|number| {
        let hold = PlaceHold::new(account(0), account(1), euros(1));
        let hold = hold.with_expires_in(Duration::from_micros(1));
        support::prepare(&format!("hold-{number}"), hold)
    });
    for decided in commit(&store, requests.collect()) {
        accepted(&decided);
    }
    let query = HoldQuery {
        account: account_key(0),
        status: Some(HoldStatus::Pending),
        after: None,
        limit: 100,
    };
    let placed: Vec<Hold> = store.list_holds(&query).await.unwrap();
    assert_eq!(placed.len(), 9);
    let mut damaged: Vec<HoldKey> = Vec::new();
    for (hold, bytes) in placed.iter().zip([[0xFF_u8].as_slice(), &[1], &[]]) {
        let sql = "UPDATE wallet_hold SET body = ?1 WHERE id = ?2";
        damage(&path, sql, bytes, hold.key.id.as_bytes());
        damaged.push(hold.key);
    }
    let wallet = wallet(store);
    assert_eq!(wallet.sweep_expired(100).await.unwrap(), 6);
    assert_eq!(wallet.stats().damaged, 3);
    let mut reported: Vec<HoldKey> = Vec::new();
    for (hold, error) in wallet.damaged_holds() {
        assert!(error.context().contains(&hold.id.to_string()), "{error}");
        reported.push(hold);
    }
    assert_eq!(reported, damaged);
}

#[test]
fn a_row_that_breaks_a_rule_of_its_table_keeps_nobody_from_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    let store = open(&path);
    set_up(&store, 1_000);
    drop(store);
    let damage = |number: u8| {
        let connection = Connection::open(&path).unwrap();
        let rules = ["ON", "OFF"].map(|on| format!("PRAGMA ignore_check_constraints = {on}"));
        connection.execute_batch(&rules[0]).unwrap();
        let sql = "UPDATE wallet_account SET policy = 7 WHERE id = ?";
        let id = account(number);
        assert_eq!(connection.execute(sql, [id.as_bytes()]).unwrap(), 1);
        connection.execute_batch(&rules[1]).unwrap();
        let checked = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        connection
            .query_row("PRAGMA quick_check(1)", (), checked)
            .unwrap()
    };
    assert_eq!(damage(5), "CHECK constraint failed in wallet_account");
    let store = open(&path);
    accepted(&commit(&store, vec![support::transfer("on", 0, 1, 1)])[0]);
    let needs_it = Batch::new(vec![support::transfer("off", 5, 1, 1)]);
    let failed = block_on(store.transact(Arc::new(needs_it)));
    assert_eq!(failed.unwrap_err().kind(), StoreErrorKind::Corrupt);
}
