//! The shop's orders and books in one SQLite file.

use std::sync::Arc;

use wallet_core::SystemClock;
use wallet_core::request::PreparedRequest;
use wallet_sqlite::rusqlite::Connection;
use wallet_sqlite::{HostTransaction, SqliteSettings, SqliteStore};

use crate::Result;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS shop_order (id INTEGER PRIMARY KEY)";
const INSERT: &str = "INSERT INTO shop_order (id) VALUES (?) ON CONFLICT DO NOTHING";
const SELECT: &str = "SELECT id FROM shop_order ORDER BY id";

pub(crate) struct SqliteShop {
    store: SqliteStore,
    connection: Connection,
}

impl SqliteShop {
    pub(crate) fn open(path: &str) -> Result<Self> {
        let store = SqliteStore::open(&SqliteSettings::new(path), Arc::new(SystemClock))?;
        let connection = Connection::open(path)?;
        connection.execute_batch(CREATE)?;
        Ok(Self { store, connection })
    }

    pub(crate) fn submit(&mut self, request: Arc<PreparedRequest>) -> Result<()> {
        let mut transaction = HostTransaction::begin(&mut self.connection)?;
        let applied = self.store.apply_in_raw(&mut transaction, &[request])?;
        applied.accepted()?;
        Ok(transaction.commit()?)
    }

    pub(crate) fn order(
        &mut self,
        order: i64,
        pay: Arc<PreparedRequest>,
    ) -> Result<std::result::Result<(), String>> {
        let mut transaction = HostTransaction::begin(&mut self.connection)?;
        transaction.connection()?.execute(INSERT, [order])?;
        let applied = self.store.apply_in_raw(&mut transaction, &[pay])?;
        match applied.accepted() {
            Ok(_) => transaction.commit()?,
            Err(refused) => {
                transaction.rollback()?;
                return Ok(Err(refused.to_string()));
            }
        }
        Ok(Ok(()))
    }

    pub(crate) fn orders(&self) -> Result<Vec<i64>> {
        let mut select = self.connection.prepare(SELECT)?;
        let orders = select.query_map((), |row| row.get(0))?;
        Ok(orders.collect::<std::result::Result<_, _>>()?)
    }
}
