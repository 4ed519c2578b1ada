//! The orders and the payments commit together, or neither does.

use sqlx::{Connection, Executor, MySqlConnection, Row};
use std::cell::Cell;
use wallet_aurora::HostTransaction;
use wallet_core::store::{ApplyError, HostTransactions, NotAccepted};
use wallet_core::{PostTransfer, Rejection, WalletError};
use wallet_test_servers::{ADMIN, Kind, PASSWORD};

use super::{INSERT, order, paid, pay, shop};
use crate::support::books::{
    account, assert_sound, commit, deposit, euros, is_recorded, key, posted, transfer,
};
use crate::support::on_both;

on_both! {
    an_order_and_its_payment_commit_together
    a_refused_payment_leaves_neither_order_nor_record
    an_error_of_the_closure_takes_the_payment_back
    a_host_may_go_on_after_a_refusal
    a_refused_call_leaves_a_host_s_own_connection_as_it_was
    a_key_of_a_refused_call_does_not_count_as_recorded
    a_transaction_that_only_repeats_or_refuses_is_flushed
    a_duplicate_row_is_an_error_after_which_the_transaction_goes_on
}

async fn an_order_and_its_payment_commit_together(kind: Kind) {
    let shop = shop(kind).await;
    let state = shop.wallet.in_transaction(&*shop.store, async |tx| {
        assert_eq!(order(&tx, 1, "paid").await?, 1);
        pay(&tx, "a", 30).await?;
        let rows = tx
            .query("SELECT state FROM shop_order WHERE id = ?", &[1.into()])
            .await?;
        assert_eq!(posted(&shop.store, 0).await, 100, "nobody else sees it yet");
        Ok::<_, WalletError>(rows[0].text(0)?.to_owned())
    });
    assert_eq!(state.await.unwrap(), "paid");
    assert_eq!(shop.orders().await, [paid(1)]);
    assert_eq!(posted(&shop.store, 0).await, 70);
    assert_eq!(posted(&shop.store, 1).await, 130);
    assert_sound(&shop.store).await;
}

async fn a_refused_payment_leaves_neither_order_nor_record(kind: Kind) {
    let shop = shop(kind).await;
    let runs = Cell::new(0);
    for expected in [Err(Rejection::InsufficientFunds), Ok(())] {
        let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
            runs.set(runs.get() + 1);
            order(&tx, 1, "paid").await?;
            pay(&tx, "a", 150).await
        });
        let done = done.await.map_err(|error| match error {
            WalletError::Rejected(rejected) => rejected.rejection,
            other => panic!("{other}"),
        });
        assert_eq!(done, expected);
        let is_paid = expected.is_ok();
        assert_eq!(shop.orders().await.len(), usize::from(is_paid));
        assert_eq!(is_recorded(&shop.store, "a").await, is_paid);
        commit(&shop.store, vec![deposit("more", 0, 60)]).await;
    }
    assert_eq!(runs.get(), 2, "a refusal is final");
    assert_eq!(posted(&shop.store, 0).await, 10);
    assert_sound(&shop.store).await;
}

async fn an_error_of_the_closure_takes_the_payment_back(kind: Kind) {
    let shop = shop(kind).await;
    let runs = Cell::new(0);
    let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
        runs.set(runs.get() + 1);
        order(&tx, 1, "paid")
            .await
            .map_err(|error| error.to_string())?;
        pay(&tx, "a", 30).await.map_err(|error| error.to_string())?;
        Err::<(), _>(Own("changed its mind".to_owned()))
    });
    assert_eq!(done.await.unwrap_err().0, "changed its mind");
    assert_eq!(runs.get(), 1);
    assert!(shop.orders().await.is_empty());
    assert!(!is_recorded(&shop.store, "a").await);
    assert_sound(&shop.store).await;
}

/// An error of the host.
#[derive(Debug)]
struct Own(String);

impl From<String> for Own {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<WalletError> for Own {
    fn from(error: WalletError) -> Self {
        Self(error.to_string())
    }
}

async fn a_host_may_go_on_after_a_refusal(kind: Kind) {
    let shop = shop(kind).await;
    let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
        pay(&tx, "a", 30).await?;
        // One of the two is accepted alone.
        let requests = [("b", 30), ("c", 150)].map(|(text, minor)| {
            let pay = PostTransfer::simple(account(0), account(1), euros(minor));
            wallet_core::Request::new(key(text), pay)
        });
        let refused = tx.apply_all(requests.to_vec()).await;
        assert!(matches!(refused, Err(WalletError::Rejected(_))));
        order(&tx, 1, "paid in part").await?;
        Ok::<_, WalletError>(())
    });
    done.await.unwrap();
    assert_eq!(shop.orders().await, [(1, "paid in part".to_owned())]);
    assert!(is_recorded(&shop.store, "a").await);
    for left in ["b", "c"] {
        assert!(!is_recorded(&shop.store, left).await);
    }
    assert_eq!(posted(&shop.store, 0).await, 70);
    assert_sound(&shop.store).await;
}

async fn a_refused_call_leaves_a_host_s_own_connection_as_it_was(kind: Kind) {
    let shop = shop(kind).await;
    let mut connection = shop.database.connect().await;
    let mut transaction = HostTransaction::begin(&mut connection).await.unwrap();
    let host = transaction.connection().unwrap();
    let insert = "INSERT INTO shop_order VALUES (1, 'failed')";
    host.execute(insert).await.unwrap();
    let requests = [transfer("a", 0, 1, 30), transfer("b", 0, 1, 71)];
    let refused = shop.store.apply_in(&mut transaction, &requests).await;
    assert!(
        matches!(
            refused,
            Err(ApplyError::NotAccepted(NotAccepted::Rejected { request: 1, rejected }))
                if rejected.rejection == Rejection::InsufficientFunds
        ),
        "{refused:?}"
    );
    let applied = shop.store.apply_in(&mut transaction, &requests[..1]).await;
    assert_eq!(applied.unwrap().after_commit().len(), 1);
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await.len(), 1);
    assert!(is_recorded(&shop.store, "a").await);
    assert!(!is_recorded(&shop.store, "b").await);
    assert_eq!(posted(&shop.store, 0).await, 70);
    assert_sound(&shop.store).await;
}

async fn a_key_of_a_refused_call_does_not_count_as_recorded(kind: Kind) {
    let shop = shop(kind).await;
    let mut connection = shop.database.connect().await;
    let mut transaction = HostTransaction::begin(&mut connection).await.unwrap();
    let refused = [transfer("a", 0, 1, 30), transfer("b", 0, 1, 71)];
    let refused = shop.store.apply_in(&mut transaction, &refused).await;
    assert!(matches!(refused, Err(ApplyError::NotAccepted(_))));
    let accepted = [transfer("c", 0, 1, 30)];
    let _applied = shop.store.apply_in(&mut transaction, &accepted).await;
    let host = transaction.connection().unwrap();
    host.execute("CREATE TABLE shop_more (id BIGINT)")
        .await
        .unwrap();
    // The key `a` is not there, which would mean that everything was rolled back.
    let committed = transaction.commit().await;
    assert!(matches!(committed, Err(ApplyError::CommittedEarly)));
    assert!(is_recorded(&shop.store, "c").await);
    connection.close().await.unwrap();
}

async fn a_transaction_that_only_repeats_or_refuses_is_flushed(kind: Kind) {
    let shop = shop(kind).await;
    let first = transfer("a", 0, 1, 30);
    commit(&shop.store, vec![first.clone()]).await;
    commit(&shop.store, vec![transfer("b", 0, 1, 1_000)]).await;
    let port = shop.database.port();
    let admin = format!("mysql://{ADMIN}:{PASSWORD}@127.0.0.1:{port}?ssl-mode=disabled");
    let mut admin = MySqlConnection::connect(&admin).await.unwrap();
    for (request, is_accepted) in [(first, true), (transfer("b", 0, 1, 1_000), false)] {
        let mut transaction = shop.store.begin().await.unwrap();
        let rows = transaction.query("SELECT CONNECTION_ID()", &[]).await;
        let id = rows.unwrap()[0].integer(0).unwrap();
        let applied = transaction.apply(&[request]).await;
        assert_eq!(applied.is_ok(), is_accepted);
        // The server flushes the commit of a transaction that has changed something.
        let changed = format!(
            "SELECT CAST(trx_rows_modified AS SIGNED) FROM information_schema.innodb_trx
             WHERE trx_mysql_thread_id = {id}"
        );
        let changed = admin.fetch_one(changed.as_str()).await.unwrap();
        assert!(changed.get::<i64, _>(0) > 0);
        transaction.commit().await.unwrap();
    }
    assert_eq!(posted(&shop.store, 0).await, 70);
}

async fn a_duplicate_row_is_an_error_after_which_the_transaction_goes_on(kind: Kind) {
    let shop = shop(kind).await;
    for round in 0..2 {
        let done = shop.wallet.in_transaction(&*shop.store, async |tx| {
            match order(&tx, 1, "paid").await {
                Ok(_) => assert_eq!(round, 0),
                Err(WalletError::Statement(error)) if error.is_duplicate() => {
                    assert_eq!(round, 1);
                }
                Err(other) => return Err(other),
            }
            let wrong = tx.execute("INSERT INTO shop_order (id) VALUES (5)", &[]);
            match wrong.await {
                Err(WalletError::Statement(error)) => assert!(!error.is_duplicate()),
                other => panic!("{other:?}"),
            }
            pay(&tx, "a", 30).await
        });
        done.await.unwrap();
        assert_eq!(shop.orders().await, [paid(1)]);
        assert_eq!(posted(&shop.store, 0).await, 70);
    }
    let mut transaction = shop.store.begin().await.unwrap();
    let twice = transaction
        .execute(INSERT, &[1.into(), "paid".into()])
        .await;
    assert!(matches!(twice, Err(ApplyError::Statement(error)) if error.is_duplicate()));
    transaction.rollback().await.unwrap();
    assert_sound(&shop.store).await;
}
