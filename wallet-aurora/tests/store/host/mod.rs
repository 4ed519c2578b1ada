//! Transactions of a host on a connection of the store.

mod cut;
mod ended;
mod failed;
mod pooled;
mod together;
mod values;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Row;
use sqlx::mysql::MySqlRow;
use wallet_aurora::{AuroraSettings, AuroraStore};
use wallet_core::runtime::Backoff;
use wallet_core::service::Transaction;
use wallet_core::{PostTransfer, Settings, Wallet, WalletError};
use wallet_test_servers::Kind;

use crate::support::Database;
use crate::support::books::{account, euros, key, set_up};

/// The database is dropped last: it cannot be dropped under an open transaction.
struct Shop {
    wallet: Wallet,
    store: Arc<AuroraStore>,
    database: Database,
}

async fn shop(kind: Kind) -> Shop {
    shop_with(kind, |_| ()).await
}

async fn shop_with(kind: Kind, change: impl FnOnce(&mut AuroraSettings)) -> Shop {
    let database = Database::create(kind).await;
    let mut settings = database.settings();
    change(&mut settings);
    let store = Arc::new(AuroraStore::open(&settings).await.unwrap());
    set_up(&store, 100).await;
    let orders = "CREATE TABLE shop_order
        (id BIGINT NOT NULL PRIMARY KEY, state VARCHAR(20) NOT NULL) ENGINE = InnoDB";
    database.execute(orders).await;
    let wallet = wallet(&store);
    Shop {
        wallet,
        store,
        database,
    }
}

fn wallet(store: &Arc<AuroraStore>) -> Wallet {
    let settings = Settings {
        tries_max: 6,
        retry: Backoff::new(Duration::from_millis(1), Duration::from_millis(50)),
        ..Settings::default()
    };
    let builder = Wallet::builder(Arc::clone(store));
    builder.settings(settings).spawn().unwrap()
}

impl Shop {
    /// The ids and states of all orders.
    async fn orders(&self) -> Vec<(i64, String)> {
        let rows = self.database.rows("SELECT id, state FROM shop_order");
        let rows = rows.await;
        // The collation of the database may be a binary one.
        let text = |row: &MySqlRow| row.get_unchecked(1);
        rows.iter().map(|row| (row.get(0), text(row))).collect()
    }
}

const INSERT: &str = "INSERT INTO shop_order (id, state) VALUES (?, ?)";

async fn order(tx: &Transaction, id: i64, state: &str) -> Result<u64, WalletError> {
    tx.execute(INSERT, &[id.into(), state.into()]).await
}

/// Pays from account 0 to account 1.
async fn pay(tx: &Transaction, text: &str, minor: i128) -> Result<(), WalletError> {
    let transfer = PostTransfer::simple(account(0), account(1), euros(minor));
    tx.run(key(text), transfer).await.map(drop)
}

fn paid(id: i64) -> (i64, String) {
    (id, "paid".to_owned())
}
