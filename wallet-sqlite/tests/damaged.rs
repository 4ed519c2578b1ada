//! Stored rows that cannot be read. Each fails only the calls that need it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use support::{accepted, account, account_key, commit, euros, key, open, record_key, set_up};
use wallet_core::ledger::{HoldKey, HoldStatus};
use wallet_core::store::{HoldQuery, LedgerStore, StoreErrorKind};
use wallet_core::{Hold, Leg, PlaceHold, PostTransfer, Request, Settings, Wallet, WalletError};
use wallet_sqlite::SqliteStore;

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
        for (index, answer) in wallet.submit_all(requests).await.into_iter().enumerate() {
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
