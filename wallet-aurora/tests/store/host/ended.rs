//! Statements of the host that end its transaction.

use std::cell::Cell;

use sqlx::Executor;
use wallet_core::WalletError;
use wallet_core::service::Transaction;
use wallet_core::store::{ApplyError, HostTransactions};
use wallet_test_servers::Kind;

use super::{INSERT, order, paid, pay, shop};
use crate::support::books::{assert_sound, is_recorded, posted, transfer};
use crate::support::on_both;

on_both! {
    a_statement_that_could_end_the_transaction_is_refused
    a_statement_that_ends_the_transaction_ends_in_an_error
    a_refused_payment_after_an_early_commit_is_an_error_and_not_repeated
    a_change_of_schema_after_a_payment_is_reported_as_a_commit
    an_error_of_the_closure_after_a_commit_is_not_the_answer
    a_transaction_that_is_chained_to_another_is_found_at_the_commit
}

const ENDS: [&str; 10] = [
    "CREATE TABLE shop_more (id BIGINT)",
    "DROP TABLE shop_more",
    "COMMIT",
    "ROLLBACK",
    "BEGIN",
    "START TRANSACTION",
    "COMMIT AND CHAIN",
    "ROLLBACK AND CHAIN",
    "ANALYZE TABLE shop_order",
    "LOCK TABLES shop_order WRITE",
];

/// Runs a statement behind the back of the transaction.
async fn raw(tx: &Transaction, sql: &str) {
    let own = tx.inner::<wallet_aurora::HostTransaction<'static>>();
    let mut own = own.await.unwrap().unwrap();
    own.connection().unwrap().execute(sql).await.unwrap();
}

async fn a_statement_that_could_end_the_transaction_is_refused(kind: Kind) {
    let shop = shop(kind).await;
    let others = [
        "SAVEPOINT a",
        "SET @a = 1",
        "CREATE TEMPORARY TABLE wallet_account (id INT)",
    ];
    for (id, sql) in (1..).zip(ENDS.into_iter().chain(others)) {
        let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
            order(&tx, id, "paid").await?;
            for refused in [
                tx.execute(sql, &[]).await.map(drop),
                tx.query(sql, &[]).await.map(drop),
            ] {
                assert_eq!(refused.unwrap_err().code(), "statement_refused", "{sql}");
            }
            pay(&tx, &format!("paid-{id}"), 1).await
        });
        done.await.unwrap();
        assert!(shop.orders().await.contains(&paid(id)), "{sql}");
    }
    assert_eq!(posted(&shop.store, 0).await, 100 - 13);
    assert_sound(&shop.store).await;
}

async fn a_statement_that_ends_the_transaction_ends_in_an_error(kind: Kind) {
    let shop = shop(kind).await;
    let mut id = 0;
    for sql in ENDS {
        for pays_before in [true, false] {
            id += 1;
            let text = format!("end-{id}");
            let mut transaction = shop.store.begin().await.unwrap();
            let values = [id.into(), "paid".into()];
            transaction.execute(INSERT, &values).await.unwrap();
            if pays_before {
                let pay = [transfer(&text, 0, 1, 1)];
                let _applied = transaction.apply(&pay).await.unwrap();
            }
            let ended = transaction.execute(sql, &[]).await;
            let ended = match ended {
                Ok(_) => true,
                // The server does not prepare this statement.
                Err(ApplyError::Statement(_)) => false,
                Err(other) => panic!("{sql}: {other}"),
            };
            if !pays_before {
                let pay = [transfer(&text, 0, 1, 1)];
                let applied = transaction.apply(&pay).await;
                if applied.is_err() {
                    let error = transaction.commit().await;
                    assert!(error.is_err(), "{sql}");
                    assert!(!is_recorded(&shop.store, &text).await, "{sql}");
                    continue;
                }
            }
            let committed = transaction.commit().await;
            // A statement may end the transaction and then fail.
            assert!(committed.is_err() || !ended, "{sql}");
            let is_paid = is_recorded(&shop.store, &text).await;
            if pays_before || committed.is_ok() {
                let is_ordered = shop.orders().await.contains(&paid(id));
                assert_eq!(is_ordered, is_paid, "{sql}");
            } else {
                assert!(!is_paid, "{sql}");
            }
        }
    }
    assert_sound(&shop.store).await;
}

async fn a_refused_payment_after_an_early_commit_is_an_error_and_not_repeated(kind: Kind) {
    let shop = shop(kind).await;
    for (id, sql) in [(1, "COMMIT"), (2, "CREATE TABLE shop_more (id BIGINT)")] {
        let runs = Cell::new(0);
        let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
            runs.set(runs.get() + 1);
            order(&tx, id, "paid").await?;
            raw(&tx, sql).await;
            // The host ignores what the payment says.
            let _ = pay(&tx, "a", 1_000).await;
            Ok::<_, WalletError>(())
        });
        assert!(done.await.is_err(), "{sql}");
        assert_eq!(runs.get(), 1, "{sql}: the order would be inserted again");

        let runs = Cell::new(0);
        let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
            runs.set(runs.get() + 1);
            order(&tx, 10 * id, "paid").await?;
            raw(&tx, &sql.replace("more", "much")).await;
            Ok::<_, WalletError>(())
        });
        assert!(done.await.is_err(), "{sql}");
        assert_eq!(runs.get(), 1, "{sql}: the order would be inserted again");
    }
    assert!(!is_recorded(&shop.store, "a").await);
    assert_eq!(posted(&shop.store, 0).await, 100);
    assert_sound(&shop.store).await;
}

async fn a_change_of_schema_after_a_payment_is_reported_as_a_commit(kind: Kind) {
    let shop = shop(kind).await;
    let runs = Cell::new(0);
    let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
        runs.set(runs.get() + 1);
        order(&tx, 1, "paid").await?;
        pay(&tx, "a", 30).await?;
        raw(&tx, "CREATE TABLE shop_more (id BIGINT)").await;
        Ok::<_, WalletError>(())
    });
    assert!(matches!(done.await, Err(WalletError::CommittedEarly)));
    assert_eq!(runs.get(), 1);
    assert_eq!(shop.orders().await, [paid(1)]);
    assert_eq!(posted(&shop.store, 0).await, 70);
}

async fn an_error_of_the_closure_after_a_commit_is_not_the_answer(kind: Kind) {
    let shop = shop(kind).await;
    for (id, pays, code) in [(1, true, "committed_early"), (2, false, "store_refused")] {
        let runs = Cell::new(0);
        let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
            runs.set(runs.get() + 1);
            order(&tx, id, "paid").await?;
            if pays {
                pay(&tx, "a", 30).await?;
            }
            raw(&tx, "COMMIT").await;
            Err::<(), _>(WalletError::Overloaded)
        });
        assert_eq!(done.await.unwrap_err().code(), code);
        assert_eq!(runs.get(), 1);
        assert!(shop.orders().await.contains(&paid(id)), "it is committed");
    }
    assert_eq!(posted(&shop.store, 0).await, 70);
    assert_sound(&shop.store).await;
}

async fn a_transaction_that_is_chained_to_another_is_found_at_the_commit(kind: Kind) {
    let shop = shop(kind).await;
    let mut transaction = shop.store.begin().await.unwrap();
    let values = [1.into(), "paid".into()];
    transaction.execute(INSERT, &values).await.unwrap();
    transaction.execute("COMMIT AND CHAIN", &[]).await.unwrap();
    // A transaction is open, but it is another one.
    let _applied = transaction.apply(&[transfer("a", 0, 1, 30)]).await.unwrap();
    let committed = transaction.commit().await;
    assert!(
        matches!(committed, Err(ApplyError::TransactionLost(None))),
        "{committed:?}"
    );
    assert!(!is_recorded(&shop.store, "a").await);
    assert_eq!(posted(&shop.store, 0).await, 100);
}
