//! Transactions that the handle begins, takes over or refuses.

use super::{kind_of, shop};
use crate::support::books::{accepted, assert_sound, commit, open, posted, transfer};
use crate::support::{Database, on_both};
use sqlx::{Connection, Executor};
use wallet_aurora::HostTransaction;
use wallet_core::ledger::Decided;
use wallet_core::store::{ApplyError, StoreErrorKind};
use wallet_test_servers::Kind;

on_both! {
    a_transaction_under_way_is_not_begun_again
    another_isolation_is_refused
    a_session_that_is_not_strict_is_refused
    a_transaction_of_the_host_s_is_taken_over
    other_books_are_refused
    a_snapshot_of_before_decides_nothing
}

async fn a_transaction_under_way_is_not_begun_again(kind: Kind) {
    let mut shop = shop(kind).await;
    let first = "START TRANSACTION; INSERT INTO shop_order VALUES (1)";
    shop.connection.execute(first).await.unwrap();
    let begun = HostTransaction::begin(&mut shop.connection).await;
    assert_eq!(kind_of(begun), StoreErrorKind::Invalid);
    assert_eq!(shop.orders().await, 0, "it was not committed by the way");
}

async fn another_isolation_is_refused(kind: Kind) {
    let mut shop = shop(kind).await;
    let level = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
    shop.connection.execute(level).await.unwrap();
    let transaction = shop.connection.begin().await.unwrap();
    let adopted = HostTransaction::adopt(transaction).await;
    assert_eq!(kind_of(adopted), StoreErrorKind::Invalid);
    // A transaction that the handle begins is at READ COMMITTED, whatever the session's
    // level is.
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let host = transaction.connection().unwrap();
    let count = "SELECT CAST(count(*) AS CHAR) FROM shop_order";
    host.execute(count).await.unwrap();
    shop.database
        .execute("INSERT INTO shop_order VALUES (5)")
        .await;
    let seen: String = sqlx::Row::get(&host.fetch_one(count).await.unwrap(), 0);
    assert_eq!(seen, "1", "it sees what was committed meanwhile");
}

async fn a_session_that_is_not_strict_is_refused(kind: Kind) {
    let mut shop = shop(kind).await;
    let mode = "SET SESSION sql_mode = ''";
    shop.connection.execute(mode).await.unwrap();
    let begun = HostTransaction::begin(&mut shop.connection).await;
    assert_eq!(kind_of(begun), StoreErrorKind::Invalid);
}

async fn a_transaction_of_the_host_s_is_taken_over(kind: Kind) {
    let mut shop = shop(kind).await;
    let level = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    shop.connection.execute(level).await.unwrap();
    let mut own = shop.connection.begin().await.unwrap();
    own.execute("INSERT INTO shop_order VALUES (1)")
        .await
        .unwrap();
    let mut transaction = HostTransaction::adopt(own).await.unwrap();
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    assert_eq!(applied.unwrap().after_commit().len(), 1);
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, 1);
    assert_eq!(posted(&shop.store, 1).await, 130);
}

async fn other_books_are_refused(kind: Kind) {
    let shop = shop(kind).await;
    let other = Database::create(kind).await;
    let mut connection = other.connect().await;
    let requests = [transfer("a", 0, 1, 30)];
    for has_books in [false, true] {
        if has_books {
            open(&other).await;
        }
        let mut transaction = HostTransaction::begin(&mut connection).await.unwrap();
        let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
        match applied.unwrap_err() {
            ApplyError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Invalid),
            other => panic!("{other}"),
        }
        transaction.commit().await.unwrap();
    }
}

async fn a_snapshot_of_before_decides_nothing(kind: Kind) {
    let mut shop = shop(kind).await;
    let level = |level: &str| format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}");
    let repeatable = level("REPEATABLE READ");
    shop.connection.execute(repeatable.as_str()).await.unwrap();
    let mut own = shop.connection.begin().await.unwrap();
    own.execute("SELECT * FROM shop_order").await.unwrap();
    // The session's level differs from the level of the open transaction.
    own.execute(level("READ COMMITTED").as_str()).await.unwrap();
    // Committed after the snapshot: the same key, a hold, a new account, a currency.
    accepted(&commit(&shop.store, vec![transfer("a", 0, 1, 30)]).await[0]);
    let mut transaction = HostTransaction::adopt(own).await.unwrap();
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    let applied = match applied {
        Ok(applied) => applied,
        // MariaDB may refuse to lock a row that its snapshot does not contain.
        Err(ApplyError::TransactionLost(_)) => return,
        Err(error) => panic!("{error}"),
    };
    assert!(matches!(applied.decided()[0], Decided::Replayed(_)));
    transaction.commit().await.unwrap();
    assert_eq!(posted(&shop.store, 1).await, 130, "paid once");
    assert_sound(&shop.store).await;
}
