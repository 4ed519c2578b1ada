use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use wallet_core::ledger::format_minor;
use wallet_core::messaging::DeliveryError;
use wallet_events::{Delivery, Event, EventHandler, Handled};
use wallet_sqlite::rusqlite::Connection;
use wallet_sqlite::{HostTransaction, SqliteInbox};

use crate::Result;

/// The consumer's name in the inbox.
pub(crate) const MAILER: &str = "mailer";

/// Writes a mail for each credit into its own table.
#[derive(Debug)]
pub(crate) struct Mailer {
    database: Mutex<Connection>,
    latest: watch::Sender<(usize, Option<Event>)>,
}

impl Mailer {
    /// The connection to the file of the inbox.
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let database = Connection::open(file)?;
        database
            .execute_batch("CREATE TABLE mail (id INTEGER PRIMARY KEY, words TEXT NOT NULL)")?;
        Ok(Self {
            database: Mutex::new(database),
            latest: watch::Sender::default(),
        })
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mail and position in one transaction: both or neither.
    fn write(&self, delivery: &Delivery) -> Result<Handled> {
        let event = &delivery.event;
        let amount = event.entry.map_or(0, |entry| entry.amount.minor());
        let words = format!(
            "to {}: {} {} received, balance {}",
            event.owner,
            format_minor(amount, event.currency),
            event.currency.code(),
            format_minor(event.balance.posted, event.currency),
        );
        let mut database = self.database();
        let transaction = HostTransaction::begin(&mut database)?;
        let own = transaction.connection()?;
        if !SqliteInbox::advance_in(own, MAILER, &delivery.step)? {
            transaction.rollback()?;
            return Ok(Handled::Moved);
        }
        own.execute("INSERT INTO mail (words) VALUES (?)", [words])?;
        transaction.commit()?;
        Ok(Handled::Recorded)
    }

    /// Waits until this many mails are written.
    pub(crate) async fn wait_for(&self, count: usize) {
        let mut written = self.latest.subscribe();
        drop(written.wait_for(|(number, _)| *number >= count).await);
    }

    /// The event of the latest mail.
    pub(crate) fn latest(&self) -> Option<Event> {
        self.latest.borrow().1.clone()
    }

    pub(crate) fn mails(&self) -> Result<Vec<String>> {
        let database = self.database();
        let mut mails = database.prepare("SELECT words FROM mail ORDER BY id")?;
        let mails = mails.query_map((), |row| row.get(0))?;
        Ok(mails.collect::<std::result::Result<_, _>>()?)
    }
}

#[async_trait]
impl EventHandler for Mailer {
    async fn handle(&self, delivery: &Delivery) -> std::result::Result<Handled, DeliveryError> {
        let handled = self.write(delivery);
        let failed = |error| DeliveryError::new("the mail was not written").with_source(error);
        let handled = handled.map_err(failed)?;
        if handled == Handled::Recorded {
            self.latest.send_modify(|(count, latest)| {
                *count = count.saturating_add(1);
                *latest = Some(delivery.event.clone());
            });
        }
        Ok(handled)
    }
}
