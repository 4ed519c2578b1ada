//! Requests inside the host's transaction.

mod begun;
mod failed;
mod together;

use crate::support::Database;
use crate::support::books::{open, set_up};
use sqlx::{Executor, MySqlConnection};
use wallet_aurora::{AuroraStore, HostTransaction};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;
use wallet_test_servers::Kind;

/// The database is dropped last: it cannot be dropped under an open transaction.
struct Shop {
    connection: MySqlConnection,
    store: AuroraStore,
    database: Database,
}

async fn shop(kind: Kind) -> Shop {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    let orders = "CREATE TABLE shop_order (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB";
    database.execute(orders).await;
    let connection = database.connect().await;
    Shop {
        connection,
        store,
        database,
    }
}

impl Shop {
    async fn orders(&self) -> usize {
        self.database.rows("SELECT id FROM shop_order").await.len()
    }
}

async fn order(transaction: &mut HostTransaction<'_>, id: i64) {
    let sql = format!("INSERT INTO shop_order VALUES ({id})");
    let connection = transaction.connection().unwrap();
    connection.execute(sql.as_str()).await.unwrap();
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}
