use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::timeout;
use wallet_aurora::AuroraInbox;
use wallet_aurora::sqlx::{Connection, Executor, MySqlConnection};
use wallet_core::ledger::AccountKey;
use wallet_core::messaging::DeliveryError;
use wallet_events::{Delivery, EventHandler, Handled, Projector};

use crate::Result;
use crate::tally::Tally;

/// The consumer's name in the inbox.
pub(crate) const CONSUMER: &str = "soak";

/// The consumer's own table. No unique key hides a repeated effect.
pub(crate) const TABLE: &str = "
    CREATE TABLE effect (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        account BINARY(16) NOT NULL,
        version BIGINT NOT NULL,
        KEY by_account (account, version)
    ) ENGINE = InnoDB";

/// The longest time of one effect before its connection is dropped.
const PATIENCE: Duration = Duration::from_secs(5);

/// The setting that the documentation of host transactions asks for. Without it the
/// server keeps the locks of a silent connection.
const VANISHED: &str =
    "SET SESSION wait_timeout = 15, net_read_timeout = 15, net_write_timeout = 15";

/// Writes a row for each event and for each missed entry, in the transaction that records
/// the step. It writes history first, because that is idempotent.
#[derive(Debug)]
pub(crate) struct Effects {
    url: String,
    connection: Mutex<Option<MySqlConnection>>,
    projector: Projector,
    tally: Arc<Tally>,
}

impl Effects {
    pub(crate) fn new(url: &str, projector: Projector, tally: Arc<Tally>) -> Self {
        Self {
            url: url.to_owned(),
            connection: Mutex::default(),
            projector,
            tally,
        }
    }

    async fn write(&self, delivery: &Delivery) -> Result<Handled> {
        let mut place = self.connection.lock().await;
        // A failed connection, or one with an abandoned transaction, is dropped.
        let mut connection = if let Some(connection) = place.take() {
            connection
        } else {
            let mut connection = MySqlConnection::connect(&self.url).await?;
            connection.execute(VANISHED).await?;
            connection
        };
        let mut transaction = connection.begin().await?;
        let has_moved = AuroraInbox::advance_in(&mut transaction, CONSUMER, &delivery.step).await?;
        if !has_moved {
            transaction.rollback().await?;
            *place = Some(connection);
            return Ok(Handled::Moved);
        }
        let missed = delivery.missed.iter().flat_map(|missed| &missed.entries);
        let mut versions: Vec<_> = missed.map(|entry| entry.version).collect();
        self.tally
            .add("events: caught up from the ledger", count(versions.len()));
        versions.push(delivery.event.version);
        let sql = insert(delivery.event.account, &versions);
        transaction.execute(sql.as_str()).await?;
        transaction.commit().await?;
        *place = Some(connection);
        Ok(Handled::Recorded)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn insert(account: AccountKey, versions: &[i64]) -> String {
    let account = account.id.uuid().simple();
    let rows = versions
        .iter()
        .map(|version| format!("(X'{account}', {version})"));
    let rows: Vec<_> = rows.collect();
    format!(
        "INSERT INTO effect (account, version) VALUES {}",
        rows.join(", ")
    )
}

#[async_trait]
impl EventHandler for Effects {
    async fn handle(&self, delivery: &Delivery) -> std::result::Result<Handled, DeliveryError> {
        let events = std::slice::from_ref(&delivery.event);
        if let Err(error) = self.projector.project(events).await {
            self.tally.add("events: history failed", 1);
            return Err(DeliveryError::new("history").with_source(error));
        }
        let written = timeout(PATIENCE, self.write(delivery)).await;
        let failed = |error: crate::Error| {
            self.tally.add("events: effect failed", 1);
            DeliveryError::new("the effect was not written").with_source(error)
        };
        written.map_err(|late| failed(late.into()))?.map_err(failed)
    }
}
