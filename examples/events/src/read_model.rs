use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use wallet_core::ledger::Direction;
use wallet_core::messaging::DeliveryError;
use wallet_events::{Delivery, EventHandler, Handled};
use wallet_sqlite::rusqlite::Connection;
use wallet_sqlite::{HostTransaction, SqliteInbox};

use crate::Result;

/// The read model's name in the inbox.
pub const READ_MODEL: &str = "income";

const CREATE: &str = "
    CREATE TABLE IF NOT EXISTS income (
        owner    TEXT    PRIMARY KEY,
        payments INTEGER NOT NULL,
        minor    INTEGER NOT NULL
    ) STRICT";
const ADD: &str = "
    INSERT INTO income (owner, payments, minor) VALUES (?, ?, ?)
    ON CONFLICT (owner) DO UPDATE SET
        payments = payments + excluded.payments, minor = minor + excluded.minor";
const ALL: &str = "SELECT owner, payments, minor FROM income ORDER BY owner";

/// How much each owner has received. A payment that counts twice, or never, would show.
#[derive(Debug)]
pub struct ReadModel {
    database: Mutex<Connection>,
    payments: watch::Sender<i64>,
}

/// The income of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Income {
    /// The owner.
    pub owner: String,
    /// How many payments the owner has received.
    pub payments: i64,
    /// Their sum in minor units.
    pub minor: i64,
}

impl ReadModel {
    /// Opens the file of the read model, and creates its table if it is missing.
    ///
    /// # Errors
    /// The errors of SQLite.
    pub fn open(file: &Path) -> Result<Self> {
        let database = Connection::open(file)?;
        database.execute_batch(CREATE)?;
        Ok(Self {
            database: Mutex::new(database),
            payments: watch::Sender::default(),
        })
    }

    /// The income of every owner.
    ///
    /// # Errors
    /// The errors of SQLite.
    pub fn incomes(&self) -> Result<Vec<Income>> {
        let database = self.database();
        let mut all = database.prepare(ALL)?;
        let all = all.query_map((), |row| {
            Ok(Income {
                owner: row.get(0)?,
                payments: row.get(1)?,
                minor: row.get(2)?,
            })
        })?;
        Ok(all.collect::<std::result::Result<_, _>>()?)
    }

    /// Waits until this process has added so many payments.
    pub async fn wait_for(&self, payments: i64) {
        let mut added = self.payments.subscribe();
        drop(added.wait_for(|count| *count >= payments).await);
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Income and position in one transaction: both or neither.
    fn add(&self, delivery: &Delivery) -> Result<Handled> {
        let (payments, minor) = received(delivery)?;
        let mut database = self.database();
        let transaction = HostTransaction::begin(&mut database)?;
        let own = transaction.connection()?;
        if !SqliteInbox::advance_in(own, READ_MODEL, &delivery.step)? {
            transaction.rollback()?;
            return Ok(Handled::Moved);
        }
        if payments > 0 {
            let owner = delivery.event.owner.to_string();
            own.execute(ADD, (owner, payments, minor))?;
        }
        transaction.commit()?;
        drop(database);
        let add = |count: &mut i64| *count = count.saturating_add(payments);
        self.payments.send_modify(add);
        Ok(Handled::Recorded)
    }
}

/// The payments that the account has received in an event and in what was missed before it:
/// their number and their sum.
fn received(delivery: &Delivery) -> Result<(i64, i64)> {
    let missed = delivery.missed.iter().flat_map(|missed| &missed.entries);
    let missed = missed.map(|entry| (entry.direction, entry.amount));
    let event = delivery.event.entry.iter();
    let event = event.map(|entry| (entry.direction, entry.amount));
    let (mut payments, mut sum) = (0_i64, 0_i64);
    for (direction, amount) in missed.chain(event) {
        if direction == Direction::Credit {
            payments = payments.saturating_add(1);
            sum = sum.saturating_add(i64::try_from(amount.minor())?);
        }
    }
    Ok((payments, sum))
}

#[async_trait]
impl EventHandler for ReadModel {
    async fn handle(&self, delivery: &Delivery) -> std::result::Result<Handled, DeliveryError> {
        let failed = |error| DeliveryError::new("the read model").with_source(error);
        self.add(delivery).map_err(failed)
    }
}

impl std::fmt::Display for Income {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (owner, payments, minor) = (&self.owner, self.payments, self.minor);
        write!(f, "{owner}: {payments} payments, {minor} cents")
    }
}
