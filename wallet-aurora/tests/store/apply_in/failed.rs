//! Errors on the way, and transactions that were lost or committed early.

use super::{order, shop};
use crate::support::books::{assert_sound, is_recorded, posted, transfer};
use crate::support::on_both;
use sqlx::{Connection, Executor};
use wallet_aurora::HostTransaction;
use wallet_core::store::{ApplyError, StoreErrorKind, TransactionLost};
use wallet_test_servers::Kind;

on_both! {
    an_error_leaves_the_host_s_own_work
    a_deadlock_loses_the_transaction_and_the_handle_refuses
    a_lost_connection_loses_the_transaction
    whoever_stops_waiting_leaves_a_handle_that_refuses
    an_error_of_the_host_s_own_is_found_at_the_commit
    a_change_of_schema_by_the_host_is_reported_as_a_commit
}

async fn an_error_leaves_the_host_s_own_work(kind: Kind) {
    let mut shop = shop(kind).await;
    // Another transaction is about to take the key.
    let mut other = shop.database.connect().await;
    let mut taking = HostTransaction::begin(&mut other).await.unwrap();
    let theirs = [transfer("a", 2, 3, 1)];
    let _applied = shop.store.apply_in_raw(&mut taking, &theirs).await.unwrap();

    let wait = "SET SESSION innodb_lock_wait_timeout = 1";
    shop.connection.execute(wait).await.unwrap();
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    match applied.unwrap_err() {
        ApplyError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict),
        other => panic!("{other}"),
    }
    order(&mut transaction, 2).await;
    transaction.commit().await.unwrap();
    taking.rollback().await.unwrap();
    assert_eq!(shop.orders().await, 2);
    assert!(!is_recorded(&shop.store, "a").await);
    assert_eq!(posted(&shop.store, 0).await, 100);
    assert_sound(&shop.store).await;
}

async fn a_deadlock_loses_the_transaction_and_the_handle_refuses(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut other = shop.database.connect().await;
    // The server rolls back the transaction with fewer changes. The other one changes more
    // than the host.
    let rows: Vec<String> = (100..400).map(|id| format!("({id})")).collect();
    let heavy = format!("BEGIN; INSERT INTO shop_order VALUES {}", rows.join(","));
    other.execute(heavy.as_str()).await.unwrap();
    let lock = "SELECT * FROM wallet_account ORDER BY num FOR UPDATE";
    other.execute(lock).await.unwrap();

    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let applying = shop.store.apply_in_raw(&mut transaction, &requests);
    let crossing = other.execute("SELECT * FROM shop_order WHERE id = 1 FOR UPDATE");
    let (applied, crossed) = tokio::join!(applying, crossing);
    crossed.unwrap();
    assert!(matches!(applied, Err(ApplyError::TransactionLost(Some(_)))));
    assert_eq!(transaction.connection().unwrap_err(), TransactionLost);
    let again = shop.store.apply_in_raw(&mut transaction, &requests).await;
    assert!(matches!(again, Err(ApplyError::TransactionLost(None))));
    let committed = transaction.commit().await;
    assert!(matches!(committed, Err(ApplyError::TransactionLost(None))));
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(shop.orders().await, 0);
    assert!(!is_recorded(&shop.store, "a").await);
    assert_sound(&shop.store).await;
}

async fn a_lost_connection_loses_the_transaction(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let host = transaction.connection().unwrap();
    let row = host.fetch_one("SELECT CAST(CONNECTION_ID() AS CHAR)").await;
    let id: String = sqlx::Row::get(&row.unwrap(), 0);
    shop.database.execute(&format!("KILL {id}")).await;
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    assert!(matches!(applied, Err(ApplyError::TransactionLost(Some(_)))));
    assert_eq!(transaction.connection().unwrap_err(), TransactionLost);
    drop(transaction);
    assert_eq!(shop.orders().await, 0);
    assert_sound(&shop.store).await;
}

async fn whoever_stops_waiting_leaves_a_handle_that_refuses(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut other = shop.database.connect().await;
    let lock = "BEGIN; SELECT * FROM wallet_account ORDER BY num FOR UPDATE";
    other.execute(lock).await.unwrap();
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let applying = shop.store.apply_in_raw(&mut transaction, &requests);
    // The call waits for a lock that is never released.
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), applying).await;
    assert!(waited.is_err());
    assert_eq!(transaction.connection().unwrap_err(), TransactionLost);
    let committed = transaction.commit().await;
    assert!(matches!(committed, Err(ApplyError::TransactionLost(None))));
    other.execute("ROLLBACK").await.unwrap();
    shop.connection.ping().await.unwrap();
    assert_eq!(shop.orders().await, 0);
    assert!(!is_recorded(&shop.store, "a").await);
}

async fn an_error_of_the_host_s_own_is_found_at_the_commit(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    assert_eq!(applied.unwrap().after_commit().len(), 1);
    // The same happens after a deadlock of the host's own statements.
    let host = transaction.connection().unwrap();
    host.execute("ROLLBACK").await.unwrap();
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    assert!(matches!(applied, Err(ApplyError::TransactionLost(None))));
    let committed = transaction.commit().await;
    assert!(matches!(committed, Err(ApplyError::TransactionLost(None))));
    assert_eq!(posted(&shop.store, 1).await, 100);
    assert!(!is_recorded(&shop.store, "a").await);
}

async fn a_change_of_schema_by_the_host_is_reported_as_a_commit(kind: Kind) {
    let mut shop = shop(kind).await;
    let ddl = "CREATE TABLE shop_more (id BIGINT PRIMARY KEY)";
    for (round, then_applies) in [(1, true), (2, false)] {
        let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
        order(&mut transaction, round).await;
        let requests = [transfer(&format!("a{round}"), 0, 1, 30)];
        let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
        assert_eq!(applied.unwrap().after_commit().len(), 1);
        let host = transaction.connection().unwrap();
        host.execute(ddl.replace("more", &format!("more{round}")).as_str())
            .await
            .unwrap();
        if then_applies {
            let more = [transfer("more", 0, 1, 30)];
            let applied = shop.store.apply_in_raw(&mut transaction, &more).await;
            assert!(matches!(applied, Err(ApplyError::CommittedEarly)));
            assert_eq!(transaction.connection().unwrap_err(), TransactionLost);
        } else {
            let committed = transaction.commit().await;
            assert!(matches!(committed, Err(ApplyError::CommittedEarly)));
        }
        assert!(is_recorded(&shop.store, &format!("a{round}")).await);
    }
    assert_eq!(shop.orders().await, 2);
    assert_eq!(posted(&shop.store, 1).await, 160);
    assert!(!is_recorded(&shop.store, "more").await);
    assert_sound(&shop.store).await;
}
