//! The shop's orders and books in one MySQL or MariaDB database.

use std::sync::Arc;

use wallet_aurora::sqlx::{self, Connection, Executor, MySqlConnection, Row};
use wallet_aurora::{AuroraSettings, AuroraStore, HostTransaction};
use wallet_core::request::PreparedRequest;

use crate::Result;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS shop_order (id BIGINT PRIMARY KEY)";
const INSERT: &str = "INSERT INTO shop_order (id) VALUES (?) ON DUPLICATE KEY UPDATE id = id";
const SELECT: &str = "SELECT id FROM shop_order ORDER BY id";

pub(crate) struct MysqlShop {
    store: AuroraStore,
    connection: MySqlConnection,
}

impl MysqlShop {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let store = AuroraStore::open(&AuroraSettings::new(url)).await?;
        let mut connection = MySqlConnection::connect(url).await?;
        connection.execute(CREATE).await?;
        Ok(Self { store, connection })
    }

    pub(crate) async fn submit(&mut self, request: Arc<PreparedRequest>) -> Result<()> {
        let mut transaction = HostTransaction::begin(&mut self.connection).await?;
        let applied = self
            .store
            .apply_in_raw(&mut transaction, &[request])
            .await?;
        applied.accepted()?;
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn order(
        &mut self,
        order: i64,
        pay: Arc<PreparedRequest>,
    ) -> Result<std::result::Result<(), String>> {
        let mut transaction = HostTransaction::begin(&mut self.connection).await?;
        let insert = sqlx::query(INSERT).bind(order);
        insert.execute(transaction.connection()?).await?;
        let applied = self.store.apply_in_raw(&mut transaction, &[pay]).await?;
        match applied.accepted() {
            Ok(_) => transaction.commit().await?,
            Err(refused) => {
                transaction.rollback().await?;
                return Ok(Err(refused.to_string()));
            }
        }
        Ok(Ok(()))
    }

    pub(crate) async fn orders(&mut self) -> Result<Vec<i64>> {
        let rows = self.connection.fetch_all(SELECT).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
