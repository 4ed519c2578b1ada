//! A host's own tests with the kit, and what the kit finds.
#![cfg(all(feature = "sqlite", feature = "test-util"))]
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wallet::prelude::*;
use wallet::sqlite::{SqliteSettings, SqliteStore};
use wallet::test::{HostFault, HostKit, JumpingClock, ScriptedStore};

const CREATE: &str = "CREATE TABLE shop_order (id BIGINT PRIMARY KEY)";
const INSERT: &str = "INSERT INTO shop_order (id) VALUES (?)";

/// A host: each order costs 1.00.
struct Shop {
    _folder: tempfile::TempDir,
    store: ScriptedStore<SqliteStore>,
    clock: Arc<JumpingClock>,
    books: Books,
    ada: AccountId,
    till: AccountId,
    attempts: AtomicU32,
}

impl Shop {
    /// Ada has money for 15 orders.
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(JumpingClock::default());
        let settings = SqliteSettings::new(folder.path().join("shop.db"));
        let store = SqliteStore::open(&settings, clock.clone()).unwrap();
        let store = ScriptedStore::new(store, clock.clone());
        let books = Books::on(Arc::new(store.clone())).clock(clock.clone());
        let books = books.open().await.unwrap();
        books.create_tables(&[CREATE]).await.unwrap();
        let eur = Currency::iso("EUR").unwrap();
        let mut ids = Vec::new();
        for owner in ["ada", "till"] {
            let open = OpenAccount::new(owner.parse().unwrap(), eur);
            ids.push(books.ensure_account(open).await.unwrap().id());
        }
        let (ada, till) = (ids.remove(0), ids.remove(0));
        let bank = SettlementName::new("bank").unwrap();
        let deposit = Deposit::new(ada, eur.parse("15.00").unwrap(), bank);
        let shop = books.scope("shop").unwrap();
        shop.run("deposit", deposit).await.unwrap();
        Self {
            _folder: folder,
            store,
            clock,
            books,
            ada,
            till,
            attempts: AtomicU32::new(0),
        }
    }

    fn pay(&self) -> PostTransfer {
        let price = Currency::iso("EUR").unwrap().parse("1.00").unwrap();
        PostTransfer::simple(self.ada, self.till, price)
    }

    /// Orders once, however often it is called.
    async fn order(&self, number: u32) -> Result<(), WalletError> {
        let key = self.books.scope("shop")?.key(&format!("order-{number}"))?;
        let ordered = self.books.in_transaction(|tx| {
            let (key, pay) = (key.clone(), self.pay());
            async move {
                tx.execute(INSERT, &[number.into()]).await?;
                tx.run(key, pay).await.map(drop)
            }
        });
        match ordered.await {
            Err(WalletError::Statement(error)) if error.is_duplicate() => Ok(()),
            ordered => ordered,
        }
    }

    /// Pays with a new key each time.
    async fn careless(&self, number: u32) -> Result<(), WalletError> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let shop = self.books.scope("shop")?;
        shop.run(&format!("order-{number}-{attempt}"), self.pay())
            .await?;
        let done = self.books.execute(INSERT, &[number.into()]).await;
        match done {
            Err(WalletError::Statement(error)) if error.is_duplicate() => Ok(()),
            done => done.map(drop),
        }
    }

    /// The number of orders, and what was paid.
    async fn sold(&self) -> (usize, String) {
        let select = "SELECT id FROM shop_order";
        let orders = self.books.query(select, &[]).await.unwrap().len();
        let till = self.books.account(self.till).await.unwrap().unwrap();
        (orders, till.posted().to_string())
    }
}

/// An error that another try does not change.
fn is_final(error: &WalletError) -> bool {
    !error.is_retryable() && error.code() != "commit_unknown"
}

#[tokio::test]
async fn a_host_with_keys_sells_each_order_once() {
    let mut given_up = 0;
    for seed in 0..4 {
        let shop = Shop::open().await;
        let kit = HostKit::new(seed).calls(20).clock(shop.clock.clone());
        let run = kit.run(&shop.store, async |call| shop.order(call).await, is_final);
        let run = run.await.unwrap();
        // Five orders find no money.
        assert_eq!(shop.sold().await, (15, "15.00 EUR".to_owned()), "{run:?}");
        assert!(run.refused >= 5, "{run:?}");
        assert!(run.failed + run.given_up > 0, "{run:?}");
        given_up += run.given_up;
    }
    assert!(given_up > 0);
}

#[tokio::test]
async fn a_host_with_a_new_key_each_time_is_found_out() {
    let mut found = 0;
    for seed in 0..4 {
        let shop = Shop::open().await;
        let kit = HostKit::new(seed).calls(10);
        let run = kit.run(
            &shop.store,
            async |call| shop.careless(call).await,
            is_final,
        );
        run.await.unwrap();
        let (orders, paid) = shop.sold().await;
        found += u32::from(paid != format!("{orders}.00 EUR"));
    }
    assert!(found >= 3, "{found} of 4");
}

#[tokio::test]
async fn a_call_that_never_ends_is_a_fault() {
    let shop = Shop::open().await;
    let kit = HostKit::new(7).calls(1);
    let call = async |_| Err::<(), _>(WalletError::Overloaded);
    let fault = kit.run(&shop.store, call, is_final).await.unwrap_err();
    let HostFault::Stuck { seed, call, last } = fault else {
        panic!("{fault}");
    };
    assert_eq!((seed, call), (7, 0));
    assert!(
        last.contains("waiting") || last.contains("gave up"),
        "{last}"
    );
}

#[tokio::test]
async fn damaged_books_are_a_fault() {
    let clock: Arc<dyn wallet::core::runtime::Clock> = Arc::new(wallet::core::SystemClock);
    let memory = wallet::core::memory::MemoryStore::new(Arc::clone(&clock));
    let store = ScriptedStore::new(memory, clock);
    let books = Books::on(Arc::new(store.clone())).open().await.unwrap();
    let eur = Currency::iso("EUR").unwrap();
    let open = OpenAccount::new("ada".parse().unwrap(), eur);
    let ada = books.ensure_account(open).await.unwrap().id();
    let call = async |_| Ok::<_, WalletError>(());
    let kit = HostKit::new(3).calls(1);
    kit.run(&store, call, is_final).await.unwrap();

    {
        let mut tables = store.inner().shared().tables();
        let mut accounts = tables.accounts.values_mut();
        let ada = accounts.find(|account| account.id() == ada).unwrap();
        ada.state.counters.credits_posted += 1;
    }
    let fault = kit.run(&store, call, is_final).await.unwrap_err();
    let HostFault::Violations { seed, violations } = fault else {
        panic!("{fault}");
    };
    assert_eq!(seed, 3);
    assert!(!violations.is_empty());
}
