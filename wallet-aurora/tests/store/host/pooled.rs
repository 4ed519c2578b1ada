//! The store's connections under transactions of hosts.

use std::time::Duration;

use wallet_core::WalletError;
use wallet_core::store::{HostTransaction as Port, HostTransactions, StoreErrorKind};
use wallet_test_servers::Kind;

use super::{INSERT, Shop, order, pay, shop, shop_with};
use crate::support::books::{assert_sound, commit, is_recorded, posted, transfer};
use crate::support::on_both;

on_both! {
    dropped_and_refused_transactions_give_their_connections_back
    a_dropped_transaction_is_rolled_back
    a_connection_is_used_again_unless_its_session_was_changed
    hosts_leave_the_connections_of_commits_alone
    the_driver_s_own_transaction_is_at_hand
}

/// Two connections for hosts, and one that is reserved.
async fn narrow(kind: Kind) -> Shop {
    let shop = shop_with(kind, |settings| {
        settings.connections = 3;
        settings.reserved_connections = 1;
        settings.connect_wait = Duration::from_secs(5);
    });
    shop.await
}

async fn dropped_and_refused_transactions_give_their_connections_back(kind: Kind) {
    let shop = narrow(kind).await;
    for round in 0..50 {
        match round % 5 {
            0 => drop(shop.store.begin().await.unwrap()),
            1 => {
                let mut transaction = shop.store.begin().await.unwrap();
                let _applied = transaction.apply(&[transfer("a", 0, 1, 1)]).await.unwrap();
                drop(transaction);
            }
            2 => {
                let mut transaction = shop.store.begin().await.unwrap();
                let refused = transaction.apply(&[transfer("a", 0, 1, 1_000)]).await;
                assert!(refused.is_err());
                transaction.rollback().await.unwrap();
            }
            3 => {
                let mut transaction = shop.store.begin().await.unwrap();
                let statement = transaction.query("SELECT SLEEP(5)", &[]);
                let waited = tokio::time::timeout(Duration::from_millis(20), statement).await;
                assert!(waited.is_err());
                transaction.rollback().await.unwrap();
            }
            _ => {
                let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
                    order(&tx, round, "paid").await?;
                    pay(&tx, "a", 1_000).await
                });
                assert!(done.await.is_err());
            }
        }
    }
    let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
        order(&tx, 1, "paid").await?;
        pay(&tx, "a", 30).await
    });
    done.await.unwrap();
    assert_eq!(shop.orders().await.len(), 1);
    assert_eq!(posted(&shop.store, 0).await, 70);
    assert_sound(&shop.store).await;
}

async fn a_dropped_transaction_is_rolled_back(kind: Kind) {
    let shop = shop(kind).await;
    let mut transaction = shop.store.begin().await.unwrap();
    let values = [1.into(), "paid".into()];
    transaction.execute(INSERT, &values).await.unwrap();
    let _applied = transaction.apply(&[transfer("a", 0, 1, 30)]).await.unwrap();
    drop(transaction);
    // It waits until the server has rolled back.
    let again = commit(&shop.store, vec![transfer("a", 0, 1, 20)]).await;
    crate::support::books::accepted(&again[0]);
    assert!(shop.orders().await.is_empty());
    assert_eq!(posted(&shop.store, 0).await, 80);
}

async fn connection_id(transaction: &mut Box<dyn Port>) -> i64 {
    let rows = transaction.query("SELECT CONNECTION_ID()", &[]).await;
    rows.unwrap()[0].integer(0).unwrap()
}

async fn a_connection_is_used_again_unless_its_session_was_changed(kind: Kind) {
    let shop = shop(kind).await;
    let mut transaction = shop.store.begin().await.unwrap();
    let mut last = connection_id(&mut transaction).await;
    transaction.commit().await.unwrap();
    let changes = [
        "SELECT GET_LOCK('cart', 1)",
        "SELECT @cart := 1",
        "SET SESSION sql_mode = ''",
        "SET autocommit = 0",
        "SET completion_type = 1",
        "SET NAMES latin1",
        "SET foreign_key_checks = 0",
    ];
    for (index, sql) in changes.iter().enumerate() {
        for (change, commits) in [(None, true), (None, false), (Some(sql), index % 2 == 0)] {
            let mut transaction = shop.store.begin().await.unwrap();
            let id = connection_id(&mut transaction).await;
            assert_eq!(id, last, "{sql}");
            if let Some(sql) = change {
                transaction.execute(sql, &[]).await.unwrap();
            }
            if commits {
                transaction.commit().await.unwrap();
            } else {
                transaction.rollback().await.unwrap();
            }
        }
        let mut transaction = shop.store.begin().await.unwrap();
        let next = connection_id(&mut transaction).await;
        assert_ne!(next, last, "{sql}");
        let variables = "SHOW SESSION VARIABLES WHERE Variable_name IN ('autocommit', 'sql_mode')";
        let rows = transaction.query(variables, &[]).await.unwrap();
        assert_eq!(rows[0].text(1).unwrap(), "ON");
        assert!(rows[1].text(1).unwrap().contains("STRICT_ALL_TABLES"));
        transaction.commit().await.unwrap();
        last = next;
    }
    // The level is set back.
    let mut transaction = shop.store.begin().await.unwrap();
    let level = "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    transaction.execute(level, &[]).await.unwrap();
    transaction.commit().await.unwrap();
    let mut transaction = shop.store.begin().await.unwrap();
    let level = "SHOW SESSION VARIABLES WHERE Variable_name IN
        ('tx_isolation', 'transaction_isolation')";
    for row in transaction.query(level, &[]).await.unwrap() {
        assert_eq!(row.text(1).unwrap(), "READ-COMMITTED");
    }
}

async fn hosts_leave_the_connections_of_commits_alone(kind: Kind) {
    let shop = shop_with(kind, |settings| {
        settings.connections = 3;
        settings.reserved_connections = 1;
        settings.connect_wait = Duration::from_secs(1);
    });
    let shop = shop.await;
    let _open = (
        shop.store.begin().await.unwrap(),
        shop.store.begin().await.unwrap(),
    );
    let none = shop.store.begin().await.unwrap_err();
    assert_eq!(none.kind(), StoreErrorKind::Unavailable);
    let paid = commit(&shop.store, vec![transfer("a", 0, 1, 30)]).await;
    crate::support::books::accepted(&paid[0]);
}

async fn the_driver_s_own_transaction_is_at_hand(kind: Kind) {
    let shop = shop(kind).await;
    let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
        {
            let own = tx
                .inner::<wallet_aurora::HostTransaction<'static>>()
                .await?;
            let mut own = own.unwrap();
            let insert = sqlx::query(INSERT).bind(1).bind("paid");
            insert.execute(own.connection().unwrap()).await.unwrap();
        }
        pay(&tx, "a", 1_000).await?;
        Ok::<_, WalletError>(())
    });
    assert!(matches!(done.await, Err(WalletError::Rejected(_))));
    assert!(shop.orders().await.is_empty());
    assert!(!is_recorded(&shop.store, "a").await);
}
