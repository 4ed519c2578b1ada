//! Errors that the server makes of statements of the host.

use std::cell::Cell;
use std::time::Duration;

use sqlx::Executor;
use tokio::sync::Barrier;
use wallet_core::WalletError;
use wallet_core::store::{ApplyError, HostTransactions, StoreErrorKind};
use wallet_test_servers::Kind;

use super::{INSERT, order, paid, pay, shop, shop_with};
use crate::support::books::{assert_sound, is_recorded, posted, transfer};
use crate::support::on_both;

on_both! {
    a_deadlock_of_two_hosts_is_repeated_and_each_pays_once
    after_a_deadlock_the_transaction_refuses_everything
    a_lock_that_is_not_free_in_time_ends_the_run
    a_lost_connection_is_repeated
    a_statement_that_was_given_up_leaves_a_transaction_that_refuses
    a_silent_server_is_given_up
    statements_that_the_server_refuses_leave_the_transaction_open
}

const LOCK: &str = "UPDATE shop_order SET state = 'locked' WHERE id = ?";

async fn a_deadlock_of_two_hosts_is_repeated_and_each_pays_once(kind: Kind) {
    let shop = shop(kind).await;
    shop.database
        .execute("INSERT INTO shop_order VALUES (1, 'new'), (2, 'new')")
        .await;
    let both = Barrier::new(2);
    let host = async |first: i64, second: i64| {
        let runs = Cell::new(0);
        let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
            runs.set(runs.get() + 1);
            tx.execute(LOCK, &[first.into()]).await?;
            if runs.get() == 1 {
                both.wait().await;
            }
            tx.execute(LOCK, &[second.into()]).await?;
            order(&tx, 10 + first, "paid").await?;
            pay(&tx, &format!("host-{first}"), 30).await
        });
        done.await.unwrap();
        runs.get()
    };
    let (one, other) = tokio::join!(host(1, 2), host(2, 1));
    assert_eq!(one + other, 3, "one of them was rolled back");
    let orders = shop.orders().await;
    assert_eq!(orders[2..], [paid(11), paid(12)]);
    assert_eq!(posted(&shop.store, 0).await, 40);
    assert_sound(&shop.store).await;
}

async fn after_a_deadlock_the_transaction_refuses_everything(kind: Kind) {
    let shop = shop(kind).await;
    let insert = "INSERT INTO shop_order VALUES (1, 'new'), (2, 'new')";
    shop.database.execute(insert).await;
    // The server rolls back the transaction with fewer changes.
    let mut other = shop.database.connect().await;
    let rows: Vec<String> = (100..400).map(|id| format!("({id}, 'x')")).collect();
    let heavy = format!("BEGIN; INSERT INTO shop_order VALUES {}", rows.join(","));
    other.execute(heavy.as_str()).await.unwrap();
    other
        .execute("UPDATE shop_order SET state = 'x' WHERE id = 1")
        .await
        .unwrap();
    let mut transaction = shop.store.begin().await.unwrap();
    transaction.execute(LOCK, &[2.into()]).await.unwrap();
    let values = [1.into()];
    let crossing = other.execute("UPDATE shop_order SET state = 'x' WHERE id = 2");
    let (lost, crossed) = tokio::join!(transaction.execute(LOCK, &values), crossing);
    crossed.unwrap();
    assert!(
        matches!(lost, Err(ApplyError::TransactionLost(Some(_)))),
        "{lost:?}"
    );
    // Any of these would commit on its own.
    let values = [5.into(), "paid".into()];
    let order = transaction.execute(INSERT, &values);
    assert!(matches!(
        order.await,
        Err(ApplyError::TransactionLost(None))
    ));
    let rows = transaction.query("SELECT 1", &[]).await;
    assert!(matches!(rows, Err(ApplyError::TransactionLost(None))));
    let applied = transaction.apply(&[transfer("a", 0, 1, 30)]).await;
    assert!(matches!(applied, Err(ApplyError::TransactionLost(None))));
    let committed = transaction.commit().await;
    assert!(matches!(committed, Err(ApplyError::TransactionLost(None))));
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(shop.orders().await.len(), 2);
    assert!(!is_recorded(&shop.store, "a").await);
}

async fn a_lock_that_is_not_free_in_time_ends_the_run(kind: Kind) {
    let shop = shop(kind).await;
    shop.database
        .execute("INSERT INTO shop_order VALUES (1, 'new')")
        .await;
    let mut other = shop.database.connect().await;
    let lock = "BEGIN; UPDATE shop_order SET state = 'theirs' WHERE id = 1";
    other.execute(lock).await.unwrap();
    let mut transaction = shop.store.begin().await.unwrap();
    let values = [2.into(), "paid".into()];
    transaction.execute(INSERT, &values).await.unwrap();
    match transaction.execute(LOCK, &[1.into()]).await {
        Err(ApplyError::TransactionLost(Some(error))) => {
            assert_eq!(error.kind(), StoreErrorKind::Conflict);
        }
        other => panic!("{other:?}"),
    }
    // The server may have rolled everything back (`innodb_rollback_on_timeout`).
    let applied = transaction.apply(&[transfer("a", 0, 1, 30)]).await;
    assert!(matches!(applied, Err(ApplyError::TransactionLost(_))));
    assert!(transaction.commit().await.is_err());
    assert_eq!(shop.orders().await, [(1, "new".to_owned())]);

    // A closure is run again.
    let other = Cell::new(Some(other));
    let runs = Cell::new(0);
    let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
        runs.set(runs.get() + 1);
        if runs.get() == 2 {
            let mut other = other.take().unwrap();
            other.execute("ROLLBACK").await.unwrap();
        }
        tx.execute(LOCK, &[1.into()]).await?;
        pay(&tx, "b", 30).await
    });
    done.await.unwrap();
    assert_eq!(runs.get(), 2);
    assert_eq!(posted(&shop.store, 0).await, 70);
    assert_sound(&shop.store).await;
}

async fn a_lost_connection_is_repeated(kind: Kind) {
    let shop = shop(kind).await;
    let runs = Cell::new(0);
    let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
        runs.set(runs.get() + 1);
        order(&tx, 1, "paid").await?;
        pay(&tx, "a", 30).await?;
        let rows = tx.query("SELECT CONNECTION_ID()", &[]).await?;
        if runs.get() == 1 {
            let kill = format!("KILL {}", rows[0].integer(0)?);
            shop.database.execute(&kill).await;
        }
        order(&tx, 2, "paid").await
    });
    done.await.unwrap();
    assert_eq!(runs.get(), 2);
    assert_eq!(shop.orders().await, [paid(1), paid(2)]);
    assert_eq!(posted(&shop.store, 0).await, 70);
    assert_sound(&shop.store).await;
}

async fn a_statement_that_was_given_up_leaves_a_transaction_that_refuses(kind: Kind) {
    let shop = shop(kind).await;
    shop.database
        .execute("INSERT INTO shop_order VALUES (1, 'new')")
        .await;
    let mut other = shop.database.connect().await;
    let lock = "BEGIN; UPDATE shop_order SET state = 'theirs' WHERE id = 1";
    other.execute(lock).await.unwrap();
    for applies_first in [false, true] {
        let mut transaction = shop.store.begin().await.unwrap();
        if applies_first {
            let _applied = transaction.apply(&[transfer("a", 0, 1, 30)]).await.unwrap();
        }
        let values = [1.into()];
        let waiting = transaction.execute(LOCK, &values);
        let waited = tokio::time::timeout(Duration::from_millis(200), waiting).await;
        assert!(waited.is_err());
        let values = [5.into(), "paid".into()];
        let more = transaction.execute(INSERT, &values);
        assert!(matches!(more.await, Err(ApplyError::TransactionLost(None))));
        let committed = transaction.commit().await;
        assert!(matches!(committed, Err(ApplyError::TransactionLost(None))));
    }
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(shop.orders().await.len(), 1);
    assert!(!is_recorded(&shop.store, "a").await);
}

async fn a_silent_server_is_given_up(kind: Kind) {
    let shop = shop_with(kind, |settings| {
        settings.long_wait = Duration::from_millis(300);
    });
    let shop = shop.await;
    let mut transaction = shop.store.begin().await.unwrap();
    let lost = transaction.query("SELECT SLEEP(5)", &[]).await;
    assert!(
        matches!(lost, Err(ApplyError::TransactionLost(Some(_)))),
        "{lost:?}"
    );
    let more = transaction.query("SELECT 1", &[]).await;
    assert!(matches!(more, Err(ApplyError::TransactionLost(None))));
    transaction.rollback().await.unwrap();
}

async fn statements_that_the_server_refuses_leave_the_transaction_open(kind: Kind) {
    let shop = shop(kind).await;
    let refused = [
        ("SELEC 1", vec![]),
        ("SELECT * FROM nowhere", vec![]),
        ("SELECT nothing FROM shop_order", vec![]),
        ("SELECT 1; SELECT 2", vec![]),
        (INSERT, vec![1.into(), "a text of more than twenty".into()]),
        (INSERT, vec![1.into(), None::<i64>.into()]),
        (INSERT, vec!["x".into(), "paid".into()]),
        // The number of values is not the number of places.
        (INSERT, vec![1.into()]),
        (INSERT, vec![1.into(), "paid".into(), 3.into()]),
        ("SELECT 1", vec![1.into()]),
        (INSERT, vec![1.into(), "x".repeat(1 << 27).into()]),
        ("ROLLBACK TO SAVEPOINT nowhere", vec![]),
    ];
    let mut transaction = shop.store.begin().await.unwrap();
    let values = [7.into(), "paid".into()];
    transaction.execute(INSERT, &values).await.unwrap();
    for (sql, values) in refused {
        match transaction.execute(sql, &values).await {
            Err(ApplyError::Statement(error)) => {
                assert!(!error.is_duplicate(), "{sql}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, [paid(7)]);
    let error = shop.wallet.in_transaction(&*shop.store, async |tx| {
        tx.execute("SELEC 1", &[]).await?;
        Ok::<_, WalletError>(())
    });
    assert!(matches!(error.await, Err(WalletError::Statement(_))));
}
