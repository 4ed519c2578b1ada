//! The façade: books by URL, and a host's tables beside them. The same on every store.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use wallet::prelude::*;
use wallet::{EntryQuery, StoreErrorKind};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS shop_order (id BIGINT PRIMARY KEY, note TEXT)";
const INSERT: &str = "INSERT INTO shop_order (id) VALUES (?)";
const SELECT: &str = "SELECT id FROM shop_order ORDER BY id";

struct Shop {
    books: Books,
    ada: AccountId,
    till: AccountId,
}

impl Shop {
    /// Ada has 5.00.
    async fn open(url: &str) -> Result<Self, WalletError> {
        let books = Books::open(url).await?;
        books.create_tables(&[CREATE]).await?;
        let eur = Currency::iso("EUR")?;
        let open = |owner: &str| owner.parse().map(|owner| OpenAccount::new(owner, eur));
        let ada = books.ensure_account(open("ada")?).await?.id();
        let till = books.ensure_account(open("till")?).await?.id();
        let deposit = Deposit::new(ada, eur.parse("5.00")?, SettlementName::new("bank")?);
        books.scope("shop")?.run("deposit", deposit).await?;
        Ok(Self { books, ada, till })
    }

    async fn order(&self, order: i64, price: &str) -> Result<(), WalletError> {
        let pay = PostTransfer::simple(self.ada, self.till, Currency::iso("EUR")?.parse(price)?);
        let key = self.books.scope("shop")?.key(&format!("order-{order}"))?;
        let ordered = self.books.in_transaction(|tx| {
            let (key, pay) = (key.clone(), pay.clone());
            async move {
                tx.execute(INSERT, &[order.into()]).await?;
                tx.run(key, pay).await.map(drop)
            }
        });
        ordered.await
    }

    async fn orders(&self) -> Result<Vec<i64>, WalletError> {
        let rows = self.books.query(SELECT, &[]).await?;
        let ids = rows.iter().map(|row| row.integer(0));
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

async fn sells_what_is_paid(url: &str) {
    let shop = Shop::open(url).await.unwrap();
    let refused = shop.order(7, "9.00").await.unwrap_err();
    let why = refused.rejected().map(|rejected| rejected.rejection);
    assert_eq!(why, Some(Rejection::InsufficientFunds));
    shop.order(8, "4.00").await.unwrap();
    // The same order again: the host's own key says so.
    let again = shop.order(8, "4.00").await.unwrap_err();
    assert!(
        matches!(&again, WalletError::Statement(error) if error.is_duplicate()),
        "{again:?}"
    );
    assert_eq!(shop.orders().await.unwrap(), [8]);
    let till = shop.books.account(shop.till).await.unwrap().unwrap();
    assert_eq!(till.posted().to_string(), "4.00 EUR");

    // A second process, or the next start, finds the same books.
    let again = Shop::open(url).await.unwrap();
    assert_eq!((again.ada, again.till), (shop.ada, shop.till));
    assert_eq!(again.orders().await.unwrap(), [8]);
    again.order(9, "1.00").await.unwrap();
    let ada = shop.books.account(shop.ada).await.unwrap().unwrap();
    assert_eq!(ada.posted().to_string(), "0.00 EUR");
    let tasks: Vec<_> = (10..14)
        .map(|order| {
            let books = shop.books.clone();
            let shop = Shop { books, ..shop };
            // Its future is `Send`, as a web server needs it.
            tokio::spawn(async move { shop.order(order, "0.01").await })
        })
        .collect();
    for task in tasks {
        let refused = task.await.unwrap().unwrap_err();
        assert_eq!(refused.code(), "insufficient_funds");
    }
    assert_eq!(shop.orders().await.unwrap(), [8, 9]);
    let delete = "DELETE FROM shop_order WHERE id = ?";
    for changed in [1, 0] {
        assert_eq!(
            shop.books.execute(delete, &[9.into()]).await.unwrap(),
            changed
        );
    }
    assert_eq!(shop.orders().await.unwrap(), [8]);
    nothing_else_begins_inside_a_transaction(&shop).await;
}

/// Each would wait for the transaction that waits for it.
async fn nothing_else_begins_inside_a_transaction(shop: &Shop) {
    let done = shop.books.in_transaction(|tx| async move {
        tx.execute(INSERT, &[90.into()]).await?;
        let select = "SELECT 1";
        for inner in [
            shop.order(91, "1.00").await,
            shop.orders().await.map(drop),
            shop.books.execute(INSERT, &[92.into()]).await.map(drop),
            shop.books.create_tables(&[CREATE]).await,
            shop.books.query(select, &[]).await.map(drop),
        ] {
            assert!(
                matches!(inner, Err(WalletError::InsideTransaction)),
                "{inner:?}"
            );
        }
        tx.query(select, &[]).await.map(drop)
    });
    done.await.unwrap();
    assert_eq!(shop.orders().await.unwrap(), [8, 90]);
}

/// The README's second example.
#[tokio::test]
async fn from_a_hold_to_a_refund() {
    let books = Books::open("memory:").await.unwrap();
    let eur = Currency::iso("EUR").unwrap();
    let money = |text: &str| eur.parse(text).unwrap();
    let mut ids = Vec::new();
    for owner in ["guest", "host"] {
        let open = OpenAccount::new(owner.parse().unwrap(), eur);
        ids.push(books.ensure_account(open).await.unwrap().id());
    }
    let (guest, host) = (ids[0], ids[1]);
    let rent = books.scope("rent").unwrap();
    let funds = Deposit::new(guest, money("300.00"), "bank".parse().unwrap());
    rent.run("funds", funds).await.unwrap();
    let hold = PlaceHold::new(guest, host, money("300.00"));
    let hold = rent.run("hold-1", hold).await.unwrap();
    let part = Capture::new(hold.id())
        .with_money(money("250.00"))
        .with_is_final(true);
    let paid = rent.run("capture-1", part).await.unwrap();
    let back = Reverse::new(paid.id()).with_money(money("40.00"));
    rent.run("refund-1", back).await.unwrap();
    let entries = books.entries(&EntryQuery::first(guest, 100)).await.unwrap();
    let printed: Vec<_> = entries
        .iter()
        .map(|entry| format!("{} {}", entry.money(eur), entry.balance_after_money(eur)))
        .collect();
    let expected = [
        "300.00 EUR 300.00 EUR",
        "250.00 EUR 50.00 EUR",
        "40.00 EUR 90.00 EUR",
    ];
    assert_eq!(printed, expected);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    sells_what_is_paid(&format!("sqlite:{}", file.display())).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_file_with_other_tables_is_adopted_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let connection = wallet::sqlite::rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch(CREATE).unwrap();
    drop(connection);
    let url = format!("sqlite:{}", file.display());
    let error = Books::open(&url).await.unwrap_err();
    assert_eq!(error.code(), "store_internal", "{error}");
    let books = Books::builder(&url).adopt(true).open().await.unwrap();
    assert!(books.query(SELECT, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn in_memory_there_are_books_and_no_tables() {
    let books = Books::open("memory:").await.unwrap();
    let eur = Currency::iso("EUR").unwrap();
    let open = OpenAccount::new("ada".parse().unwrap(), eur);
    let ada = books.ensure_account(open).await.unwrap();
    assert!(ada.is_new);
    let error = books.create_tables(&[CREATE]).await.unwrap_err();
    assert_eq!(error.code(), "statement_refused");
    let key = books.scope("shop").unwrap().key("in").unwrap();
    let deposit = Deposit::new(
        ada.id(),
        eur.parse("1.00").unwrap(),
        "bank".parse().unwrap(),
    );
    let done = books.in_transaction(|tx| {
        let (key, deposit) = (key.clone(), deposit.clone());
        async move { tx.run(key, deposit).await }
    });
    done.await.unwrap();
}

#[tokio::test]
async fn a_url_of_no_store_is_refused_without_its_password() {
    let error = Books::open("postgres://ada:secret@localhost/shop")
        .await
        .unwrap_err();
    assert!(
        !format!("{error:?} {error}").contains("secret"),
        "{error:?}"
    );
    assert!(
        matches!(&error, WalletError::Store(error) if error.kind() == StoreErrorKind::Invalid),
        "{error:?}"
    );
}

#[cfg(feature = "mysql")]
mod servers {
    use wallet_test_servers::{Kind, on_new_database};

    use super::sells_what_is_paid;

    #[tokio::test]
    async fn on_mysql() {
        on_new_database(Kind::MySql, sells_what_is_paid).await;
    }

    #[tokio::test]
    async fn on_mariadb() {
        on_new_database(Kind::MariaDb, sells_what_is_paid).await;
    }
}
