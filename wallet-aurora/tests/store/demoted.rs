//! A former writer still answers. Reads of the latest state must not use it.

use std::sync::Arc;

use sqlx::{Connection, Executor, MySqlConnection};
use wallet_core::request::Batch;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{EntryQuery, LedgerId, StoreError, Timestamp};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{account_key, is_recorded, open, posted, record_key, set_up, transfer};
use crate::support::{Database, on_both};

on_both! {
    a_demoted_writer_answers_nothing_that_must_be_the_latest
}

fn kind_of<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> StoreErrorKind {
    answer.unwrap_err().kind()
}

async fn a_demoted_writer_answers_nothing_that_must_be_the_latest(kind: Kind) {
    let server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    let mut admin = MySqlConnection::connect(&server.admin_url()).await.unwrap();
    // Each read finds a connection that was opened before.
    for way in 0..7 {
        assert_eq!(posted(&store, 1).await, 100, "a connection at rest");
        admin.execute("SET GLOBAL read_only = 1").await.unwrap();
        let key = account_key(1);
        let answer = match way {
            0 => kind_of(store.accounts(&[key]).await),
            1 => kind_of(store.records(&[record_key("open-1")]).await),
            2 => kind_of(store.entries(&EntryQuery::first(key, 10)).await),
            3 => kind_of(store.balance_at(key, Timestamp::EPOCH).await),
            4 => {
                let batch = Batch::new(vec![transfer("dry", 0, 1, 1)]);
                kind_of(store.snapshot(batch.reads()).await)
            }
            5 => kind_of(store.trial_balance(LedgerId::default()).await),
            _ => {
                let batch = Arc::new(Batch::new(vec![transfer("a", 0, 1, 1)]));
                kind_of(store.transact(batch).await)
            }
        };
        assert_eq!(answer, StoreErrorKind::Unavailable, "way {way}");
        admin.execute("SET GLOBAL read_only = 0").await.unwrap();
    }
    assert!(is_recorded(&store, "open-1").await);
}
