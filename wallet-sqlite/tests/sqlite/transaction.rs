//! Transactions of a host, on the store's own connection.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use wallet_core::store::{HostTransactions, SqlValue, StoreErrorKind};
use wallet_core::{
    AccountId, Deposit, IdempotencyKey, OpenAccount, PostTransfer, Rejection, SettlementName,
    SystemClock, Wallet, WalletError,
};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::support::{assert_sound, eur};

const CREATE: &str = "CREATE TABLE shop_order (id INTEGER PRIMARY KEY, note TEXT)";
const INSERT: &str = "INSERT INTO shop_order (id) VALUES (?)";

struct Shop {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
    wallet: Wallet,
    ada: AccountId,
    till: AccountId,
}

impl Shop {
    /// Ada has 5.00.
    async fn open() -> Self {
        Self::with(|settings| settings).await
    }

    async fn with(change: impl FnOnce(SqliteSettings) -> SqliteSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = change(SqliteSettings::new(folder.path().join("shop.db")));
        let store = Arc::new(SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap());
        let wallet = Wallet::builder(Arc::clone(&store)).spawn().unwrap();
        let open = |owner: &str| OpenAccount::new(owner.parse().unwrap(), eur());
        let ada = wallet.ensure_account(open("ada")).await.unwrap().id();
        let till = wallet.ensure_account(open("till")).await.unwrap().id();
        let bank = SettlementName::new("bank").unwrap();
        let deposit = Deposit::new(ada, eur().parse("5.00").unwrap(), bank);
        wallet
            .scope("shop")
            .unwrap()
            .run("in", deposit)
            .await
            .unwrap();
        Connection::open(folder.path().join("shop.db"))
            .unwrap()
            .execute_batch(CREATE)
            .unwrap();
        Self {
            folder,
            store,
            wallet,
            ada,
            till,
        }
    }

    fn key(order: i64) -> IdempotencyKey {
        IdempotencyKey::parse("shop", &format!("order-{order}")).unwrap()
    }

    fn pay(&self, price: &str) -> PostTransfer {
        PostTransfer::simple(self.ada, self.till, eur().parse(price).unwrap())
    }

    async fn order(&self, order: i64, price: &str) -> Result<(), WalletError> {
        let done = self.wallet.in_transaction(&*self.store, |tx| async move {
            tx.execute(INSERT, &[order.into()]).await?;
            tx.run(Self::key(order), self.pay(price)).await
        });
        done.await.map(drop)
    }

    fn orders(&self) -> Vec<i64> {
        orders(&self.folder.path().join("shop.db"))
    }

    async fn posted(&self, account: AccountId) -> i128 {
        let account = self.wallet.account(account).await.unwrap();
        account.unwrap().state.counters.posted()
    }
}

fn orders(path: &Path) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let mut select = connection
        .prepare("SELECT id FROM shop_order ORDER BY id")
        .unwrap();
    let rows = select.query_map((), |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn rejection(done: Result<(), WalletError>) -> Rejection {
    done.unwrap_err().rejected().unwrap().rejection
}

#[tokio::test]
async fn an_order_and_its_payment_commit_together_or_not_at_all() {
    let shop = &Shop::open().await;
    shop.order(7, "4.00").await.unwrap();
    assert_eq!(
        rejection(shop.order(8, "4.00").await),
        Rejection::InsufficientFunds
    );
    assert_eq!(shop.orders(), [7]);
    assert_eq!(
        (shop.posted(shop.ada).await, shop.posted(shop.till).await),
        (100, 400)
    );
    // The refusal is not recorded: the same call is decided anew.
    let bank = SettlementName::new("bank").unwrap();
    let more = Deposit::new(shop.ada, eur().parse("10.00").unwrap(), bank);
    shop.wallet
        .scope("shop")
        .unwrap()
        .run("more", more)
        .await
        .unwrap();
    shop.order(8, "4.00").await.unwrap();
    assert_eq!(shop.orders(), [7, 8]);
    assert_sound(&shop.store);
}

#[tokio::test]
async fn a_host_may_record_a_refusal_of_its_own_and_commit() {
    let shop = &Shop::open().await;
    let done = shop.wallet.in_transaction(&*shop.store, |tx| async move {
        let paid = tx.run(Shop::key(9), shop.pay("9.00")).await;
        let note = match paid {
            Ok(_) => "paid",
            Err(WalletError::Rejected(_)) => "refused",
            Err(error) => return Err(error),
        };
        let insert = "INSERT INTO shop_order (id, note) VALUES (?, ?)";
        tx.execute(insert, &[9.into(), note.into()]).await?;
        let rows = tx.query("SELECT note FROM shop_order", &[]).await?;
        Ok(rows[0].text(0)?.to_owned())
    });
    assert_eq!(done.await.unwrap(), "refused");
    assert_eq!(shop.orders(), [9]);
    let accepted = shop.wallet.scope("shop").unwrap().accepted("order-9").await;
    assert!(accepted.unwrap().is_none());
    assert_eq!(shop.posted(shop.ada).await, 500);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_or_fails_leaves_nothing_and_lets_the_next_one_begin() {
    let shop = &Shop::open().await;
    for _ in 0..20 {
        let mut dropped = shop.store.begin().await.unwrap();
        dropped.execute(INSERT, &[1.into()]).await.unwrap();
        drop(dropped);
        let failed: Result<(), WalletError> = shop
            .wallet
            .in_transaction(&*shop.store, |tx| async move {
                tx.execute(INSERT, &[2.into()]).await?;
                tx.run(Shop::key(2), shop.pay("1.00")).await?;
                Err(WalletError::ShuttingDown)
            })
            .await;
        assert!(matches!(failed, Err(WalletError::ShuttingDown)));
    }
    assert_eq!(shop.orders(), [0_i64; 0]);
    assert_eq!(shop.posted(shop.ada).await, 500);
    shop.order(3, "1.00").await.unwrap();
}

#[tokio::test]
async fn refused_statements_are_named_and_the_transaction_goes_on() {
    let shop = &Shop::open().await;
    let done = shop.wallet.in_transaction(&*shop.store, |tx| async move {
        tx.execute(INSERT, &[5.into()]).await?;
        for (sql, is_duplicate) in [
            (INSERT, true),
            ("INSERT INTO nowhere (id) VALUES (?)", false),
            ("INSERT INTO shop_order (id) VALUES (?), (?)", false),
            ("BEGIN IMMEDIATE; SELECT ?", false),
            ("no SQL ?", false),
        ] {
            let error = tx.execute(sql, &[5.into()]).await.unwrap_err();
            let WalletError::Statement(error) = error else {
                panic!("{sql}: {error:?}");
            };
            assert_eq!(error.is_duplicate(), is_duplicate, "{sql}: {error}");
        }
        tx.run(Shop::key(5), shop.pay("1.00")).await
    });
    done.await.unwrap();
    assert_eq!(shop.orders(), [5]);
}

/// By the words that the core knows, and by SQLite itself.
#[tokio::test]
async fn what_would_reach_beyond_the_hosts_rows_is_refused() {
    let shop = &Shop::open().await;
    let trigger = "CREATE TRIGGER sneak AFTER INSERT ON shop_order BEGIN
        UPDATE wallet_account SET version = version + 1; END";
    let refused = [
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT a",
        "PRAGMA query_only = ON",
        "ATTACH ':memory:' AS other",
        "CREATE TEMPORARY TABLE cart (id INTEGER)",
        trigger,
        "DROP TABLE wallet_account",
        "UPDATE wallet_account SET version = version + 1",
        "WITH n AS (SELECT 1) DELETE FROM WALLET_JOURNAL",
        "INSERT INTO wallet_outbox SELECT * FROM wallet_outbox",
        "DELETE FROM sqlite_schema",
        "SELECT load_extension('x')",
        "DELETE FROM shop_order \0 WHERE id = 1",
        "",
    ];
    for (id, sql) in (1..).zip(refused) {
        let done = shop.wallet.in_transaction(&*shop.store, |tx| async move {
            tx.execute(INSERT, &[id.into()]).await?;
            for refused in [
                tx.execute(sql, &[]).await.map(drop),
                tx.query(sql, &[]).await.map(drop),
            ] {
                let error = refused.unwrap_err();
                assert_eq!(error.code(), "statement_refused", "{sql}: {error:?}");
            }
            tx.run(Shop::key(id), shop.pay("0.01")).await
        });
        done.await.unwrap();
    }
    assert_eq!(shop.orders().len(), refused.len());
    // Tables are changed alone, and never the ledger's.
    for sql in [
        "DROP TABLE wallet_account",
        "ALTER TABLE wallet_account ADD COLUMN more INTEGER",
        "CREATE INDEX mine ON wallet_account (version)",
        "CREATE TEMPORARY TABLE cart (id INTEGER)",
        "CREATE TABLE wallet_cart (id INTEGER)",
        "INSERT INTO wallet_currency VALUES ('X', 1)",
    ] {
        let error = shop.wallet.run_alone(&*shop.store, sql).await;
        let error = error.expect_err(sql);
        assert_eq!(error.code(), "statement_refused", "{sql}: {error:?}");
    }
    for sql in [
        "CREATE TABLE cart (id INTEGER PRIMARY KEY, note TEXT)",
        "CREATE INDEX cart_by_note ON cart (note)",
        "CREATE VIEW cart_view AS SELECT id FROM cart",
        "CREATE TRIGGER fine AFTER INSERT ON cart BEGIN DELETE FROM cart WHERE id = 0; END",
        "ALTER TABLE cart ADD COLUMN more INTEGER",
        "INSERT INTO cart (id) VALUES (1)",
        "DROP VIEW cart_view",
        "DROP TABLE cart",
    ] {
        let done = shop.wallet.run_alone(&*shop.store, sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let posted = 500 - i128::try_from(refused.len()).unwrap();
    assert_eq!(shop.posted(shop.ada).await, posted);
    // A trigger reaches no further than the statement that it belongs to.
    let done = shop.wallet.run_alone(&*shop.store, trigger).await;
    done.unwrap();
    let error = shop.order(99, "0.01").await.unwrap_err();
    assert_eq!(error.code(), "statement_refused", "{error:?}");
    assert_eq!(shop.posted(shop.ada).await, posted);
}

/// Their modules keep tables of their own.
#[tokio::test]
async fn a_host_may_have_virtual_tables() {
    let shop = &Shop::open().await;
    for sql in [
        "CREATE VIRTUAL TABLE note USING fts5(body)",
        "CREATE VIRTUAL TABLE place USING rtree(id, west, east)",
    ] {
        let done = shop.wallet.run_alone(&*shop.store, sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let done = shop.wallet.in_transaction(&*shop.store, |tx| async move {
        tx.execute("INSERT INTO note (body) VALUES ('two shoes')", &[])
            .await?;
        tx.execute("INSERT INTO place VALUES (1, 2, 3)", &[])
            .await?;
        let found = "SELECT rowid FROM note WHERE note MATCH 'shoes'";
        assert_eq!(tx.query(found, &[]).await?[0].integer(0)?, 1);
        let found = "SELECT id FROM place WHERE west < 3";
        assert_eq!(tx.query(found, &[]).await?[0].integer(0)?, 1);
        tx.run(Shop::key(1), shop.pay("1.00")).await
    });
    done.await.unwrap();
    for sql in ["DROP TABLE note", "DROP TABLE place"] {
        shop.wallet.run_alone(&*shop.store, sql).await.unwrap();
    }
}

/// A row that cannot be read takes the whole statement back.
#[tokio::test]
async fn a_statement_that_returns_rows_is_done_or_not() {
    let shop = &Shop::open().await;
    let done = shop.wallet.in_transaction(&*shop.store, |tx| async move {
        let insert = "INSERT INTO shop_order (id) VALUES (?) RETURNING id";
        assert_eq!(tx.execute(insert, &[1.into()]).await?, 1);
        let rows = tx.query(insert, &[2.into()]).await?;
        assert_eq!(rows[0].integer(0)?, 2);
        let real = "INSERT INTO shop_order (id) VALUES (?), (?) RETURNING 0.5";
        let error = tx.query(real, &[3.into(), 4.into()]).await.unwrap_err();
        assert!(error.to_string().contains("CAST"), "{error}");
        let again = tx.query(insert, &[2.into()]).await.unwrap_err();
        assert!(matches!(&again, WalletError::Statement(error) if error.is_duplicate()));
        assert_eq!(tx.execute("SELECT id FROM shop_order", &[]).await?, 0);
        assert_eq!(
            tx.execute("DELETE FROM shop_order WHERE id = 1 RETURNING id", &[])
                .await?,
            1
        );
        tx.run(Shop::key(5), shop.pay("1.00")).await
    });
    done.await.unwrap();
    assert_eq!(shop.orders(), [2]);
}

/// Whoever waits no longer does not hold up the others.
#[tokio::test]
async fn a_statement_that_nobody_waits_for_is_cut_off() {
    let shop = &Shop::open().await;
    let for_ever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT count(*) FROM n";
    let done = shop.wallet.in_transaction(&*shop.store, |tx| async move {
        tx.execute(INSERT, &[1.into()]).await?;
        let wait = std::time::Duration::from_millis(50);
        let cut = tokio::time::timeout(wait, tx.query(for_ever, &[])).await;
        assert!(cut.is_err());
        Ok::<_, WalletError>(())
    });
    assert_eq!(done.await.unwrap_err().code(), "call_dropped");
    shop.order(2, "1.00").await.unwrap();
    assert_eq!(shop.orders(), [2]);
}

/// It would wait for the transaction that waits for it.
#[tokio::test]
async fn a_task_of_the_closure_that_begins_another_transaction_gives_up() {
    let quick = |settings| SqliteSettings {
        lock_wait: std::time::Duration::from_millis(20),
        ..settings
    };
    let shop = Arc::new(Shop::with(quick).await);
    let inner = Arc::clone(&shop);
    let done = shop.wallet.in_transaction(&*shop.store, move |tx| {
        let shop = Arc::clone(&inner);
        async move {
            tx.execute(INSERT, &[1.into()]).await?;
            let other = Arc::clone(&shop);
            let other = tokio::spawn(async move { other.order(2, "1.00").await });
            let error = other.await.unwrap().unwrap_err();
            assert_eq!(error.code(), "store_conflict");
            let other = Arc::clone(&shop);
            let alone = tokio::spawn(async move {
                let sql = "CREATE TABLE cart (id INTEGER)";
                other.wallet.run_alone(&*other.store, sql).await
            });
            let error = alone.await.unwrap().unwrap_err();
            assert_eq!(error.code(), "store_conflict");
            tx.run(Shop::key(1), shop.pay("1.00")).await.map(drop)
        }
    });
    done.await.unwrap();
    assert_eq!(shop.orders(), [1]);
}

#[tokio::test]
async fn values_come_back_as_they_were_bound() {
    let shop = &Shop::open().await;
    let values = &[
        SqlValue::Null,
        i64::MIN.into(),
        i64::MAX.into(),
        "".into(),
        "Zoë \u{0}'\"".into(),
        vec![0_u8, 255].into(),
        Vec::new().into(),
        shop.ada.into(),
    ];
    let done = shop.wallet.in_transaction(&*shop.store, |tx| async move {
        let marks = vec!["?"; values.len()].join(", ");
        let rows = tx.query(&format!("SELECT {marks}"), values).await?;
        let real = tx.query("SELECT 0.5", &[]).await.unwrap_err();
        assert!(real.to_string().contains("CAST"), "{real}");
        Ok::<_, WalletError>(rows)
    });
    assert_eq!(done.await.unwrap()[0].values(), values.as_slice());
}

#[tokio::test]
async fn many_tasks_at_once_each_pay_once() {
    each_pays_once(Shop::open().await).await;
}

/// With an old SQLite the store guards its log. A checkpoint is due after every page.
#[tokio::test]
async fn many_tasks_at_once_each_pay_once_beside_a_guard_of_the_log() {
    let guarded = |settings| SqliteSettings {
        guard_log: true,
        checkpoint_pages: 1,
        ..settings
    };
    each_pays_once(Shop::with(guarded).await).await;
}

async fn each_pays_once(shop: Shop) {
    let shop = Arc::new(shop);
    let tasks: Vec<_> = (1..=20)
        .map(|order| {
            let shop = Arc::clone(&shop);
            // The future is `Send`, as a web server needs it.
            tokio::spawn(async move { shop.order(order, "0.10").await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(shop.orders().len(), 20);
    assert_eq!(shop.posted(shop.ada).await, 300);
    assert_sound(&shop.store);
}

#[tokio::test]
async fn a_lock_of_another_connection_is_waited_for_and_then_a_conflict() {
    let shop = &Shop::open().await;
    let other = Connection::open(shop.folder.path().join("shop.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = shop.store.begin().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    other.execute_batch("ROLLBACK").unwrap();
    shop.order(1, "1.00").await.unwrap();
}

#[tokio::test]
async fn a_file_that_was_replaced_takes_no_transaction() {
    let shop = &Shop::open().await;
    shop.order(1, "1.00").await.unwrap();
    let path = shop.folder.path().join("shop.db");
    let mut open = shop.store.begin().await.unwrap();
    open.execute(INSERT, &[2.into()]).await.unwrap();
    std::fs::rename(&path, shop.folder.path().join("away.db")).unwrap();
    let error = open.commit().await.unwrap_err();
    assert!(error.to_string().contains("moved or replaced"), "{error}");
    assert_eq!(
        shop.store.begin().await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
}

#[tokio::test]
async fn a_store_that_is_dropped_closes_the_connection_and_leaves_one_file() {
    let shop = Shop::open().await;
    shop.order(1, "1.00").await.unwrap();
    let Shop {
        folder,
        store,
        wallet,
        ..
    } = shop;
    wallet.shutdown().await;
    drop(wallet);
    tokio::task::yield_now().await;
    drop(Arc::into_inner(store));
    let path = folder.path().join("shop.db");
    assert!(!folder.path().join("shop.db-wal").exists());
    assert_eq!(orders(&path), [1]);
}

/// On SQLite it would wait for the transaction that waits for it.
#[tokio::test]
async fn a_submission_inside_a_transaction_is_refused_at_once() {
    let shop = &Shop::open().await;
    let scope = &shop.wallet.scope("shop").unwrap();
    let done = shop.wallet.in_transaction(&*shop.store, |tx| async move {
        tx.execute(INSERT, &[1.into()]).await?;
        let open = OpenAccount::new("eve".parse()?, eur());
        for error in [
            scope.run("inside", shop.pay("1.00")).await.map(drop),
            shop.wallet.ensure_account(open).await.map(drop),
            scope.cancel("never").await.map(drop),
        ] {
            assert!(
                matches!(error, Err(WalletError::InsideTransaction)),
                "{error:?}"
            );
        }
        // Reads are fine.
        shop.wallet.account(shop.ada).await?;
        scope.run("inside", shop.pay("1.00")).await.map(drop)
    });
    assert_eq!(done.await.unwrap_err().code(), "inside_transaction");
    assert_eq!((shop.orders().len(), shop.posted(shop.ada).await), (0, 500));
    // Outside, and beside an open transaction of another task, it works.
    scope.run("outside", shop.pay("1.00")).await.unwrap();

    shop.wallet.shutdown().await;
    let error = shop.order(2, "1.00").await.unwrap_err();
    assert!(matches!(error, WalletError::ShuttingDown), "{error:?}");
}
