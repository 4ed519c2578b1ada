//! A read model: the balances of all accounts, for lists and searches. The
//! ledger's events write it, through a relay in this process, without a queue.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wallet::core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet::core::{SignedMoney, SystemClock, store::CommitSignal};
use wallet::{Books, SqlRow, Transaction, WalletError};
use wallet_events::{Event, Parsed, Relay, RelaySettings};

use crate::error::{Error, Result};
use crate::market::Market;

const DELETE: &str = "DELETE FROM market_view
    WHERE account = ? AND (epoch < ? OR (epoch = ? AND version < ?))";
const INSERT: &str = "INSERT INTO market_view (account, epoch, version, owner, balance)
    VALUES (?, ?, ?, ?, ?)";
const SELECT: &str = "SELECT owner, balance FROM market_view ORDER BY owner, balance";

type Answer = std::result::Result<Vec<Published>, DeliveryError>;

/// Writes events into the table.
#[derive(Debug)]
pub(crate) struct View(pub(crate) Market);

#[async_trait]
impl EventPublisher for View {
    fn limits(&self) -> PublisherLimits {
        PublisherLimits {
            messages: 100,
            bytes: 1 << 20,
            keeps_order: true,
        }
    }

    async fn publish(&self, messages: &[Message]) -> Answer {
        let mut events = Vec::new();
        for message in messages {
            let parsed = Event::parse(&message.body);
            let failed = |error| DeliveryError::new("no event").with_source(error);
            if let Parsed::Known(event) = parsed.map_err(failed)? {
                events.push(event);
            }
        }
        let View(market) = self;
        let events = &events;
        let written = market.transact(|tx| async move { write(&tx, events).await });
        let failed = |error| DeliveryError::new("the view is not written").with_source(error);
        written.await.map_err(failed)?;
        Ok(vec![Published::Done; messages.len()])
    }
}

/// An event replaces what is older. One that comes again does not, and changes nothing.
async fn write(tx: &Transaction, events: &[Event]) -> Result<()> {
    for event in events {
        let (id, epoch, version) = (event.account.id, event.epoch.as_i64(), event.version);
        let older = [id.into(), epoch.into(), epoch.into(), version.into()];
        tx.execute(DELETE, &older).await?;
        let balance = SignedMoney::new(event.balance.posted, event.currency).to_string();
        let (owner, balance) = (event.owner.as_str().into(), balance.into());
        let row = [id.into(), epoch.into(), version.into(), owner, balance];
        match tx.execute(INSERT, &row).await {
            Err(WalletError::Statement(newer)) if newer.is_duplicate() => {}
            inserted => drop(inserted?),
        }
    }
    Ok(())
}

/// The rows of the view.
pub(crate) async fn balances(books: &Books) -> Result<Vec<String>> {
    let rows = books.query(SELECT, &[]).await?;
    let line = |row: &SqlRow| Ok(format!("view: {} has {}", row.text(0)?, row.text(1)?));
    rows.iter().map(line).collect()
}

/// The relay from the ledger's outbox to the view, at work.
pub(crate) struct Feed {
    relay: Relay,
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Feed {
    pub(crate) fn start(market: &Market, signal: CommitSignal) -> Result<Self> {
        let books = &market.books;
        let relay = Relay::builder(
            books.outbox(),
            Arc::clone(books.store()),
            Arc::new(View(market.clone())),
            Arc::new(SystemClock),
            RelaySettings::new("market-1"),
        );
        let relay = relay.signal(signal).build().map_err(Error::feed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let running = relay.clone();
        let task = tokio::spawn(async move { running.run(async { drop(stopped.await) }).await });
        Ok(Self { relay, task, stop })
    }

    /// Waits until every event so far is in the view.
    pub(crate) async fn caught_up(&self) -> Result<()> {
        while self.relay.depth().await.map_err(Error::feed)?.rows > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        drop(self.task.await);
    }
}
