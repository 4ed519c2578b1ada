//! A durable queue in a SQLite file.

mod attributes;
mod groups;
mod rows;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use rusqlite::Connection;
use tokio::sync::Notify;
use wallet_core::messaging::{
    DeliveryError, EVENT_ID, EventPublisher, Message, MessageQueue, Published, PublisherLimits,
    Received,
};
use wallet_core::runtime::Clock;
use wallet_core::{StoreError, Timestamp};

pub use settings::{DeadLetters, SqliteQueueSettings};

use crate::SqliteSettings;
use crate::error::Result;
use crate::tables::{Schema, Tables};

const SCHEMA: Schema = Schema {
    table: "wallet_queue_message",
    create: include_str!("../../migrations/queue.sql"),
    thread: "wallet-queue",
    missing: "the file holds no queue: create it first",
};

const LIMITS: PublisherLimits = PublisherLimits {
    messages: 100,
    bytes: 1_048_576,
    keeps_order: true,
};
/// The most attributes of a message, without the one with the event's own id.
const ATTRIBUTES_MAX: usize = 9;

type Answer<T> = std::result::Result<T, DeliveryError>;

/// A durable FIFO queue in a SQLite file, with the rules of Amazon SQS:
///
/// - while a message of a group is held, no other receive gets a message of it; one receive
///   may return several of a group, in order;
/// - a message with an id that was sent within the [`window`](SqliteQueueSettings::window)
///   is accepted and dropped, whether the first one was received and deleted or not;
/// - a message comes back when its visibility timeout ends, and its old receipt is stale;
/// - with [dead letters](SqliteQueueSettings::dead_letters), a message that was received
///   often enough and came back goes to another queue of the file, before the messages that
///   were sent there later.
///
/// The file may hold several queues, and other tables of any application. Any number of
/// processes of one machine may send and receive; with an old SQLite, or with
/// [`SqliteSettings::guard_log`], only one process. A published message survives a loss of
/// power. Give the queues a file of their own: in the file of the books, each send waits for
/// the write lock of the books, and the books for that of the queue.
///
/// A file with a rollback journal keeps it. If a host, or a store that adopts the file, turns
/// write-ahead logging on while a queue has the file open, calls fail with `Unavailable` until
/// the queue is opened again.
///
/// Visibility timeouts are compared with the clock. Processes of one machine share it. If the
/// clock was ahead and was set back, a message that was received meanwhile is held for its
/// visibility timeout again, from the next receive of anyone on. An id that was sent
/// meanwhile is remembered for the window from the next publish on.
///
/// # Cost
/// Each call is one transaction with one flush to disk, whatever the number of its messages.
/// An empty receive reads and writes nothing. A receive passes over held groups, not over their
/// messages. Measured on two cores, behind 100 as behind 100,000 messages of a held group, of
/// 100 bytes or 3,000: an empty receive takes 0.02 to 0.04 ms, a receive of one message 0.2 to
/// 0.7 ms, and four receives that wait together use 1 percent of a core.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use wallet_core::SystemClock;
/// use wallet_core::messaging::{EventPublisher, Message, MessageQueue};
/// use wallet_sqlite::{SqliteQueue, SqliteQueueSettings, SqliteSettings};
///
/// let folder = tempfile::tempdir()?;
/// let file = SqliteSettings::new(folder.path().join("queues.db"));
/// let settings = SqliteQueueSettings::new("mailer");
/// let queue = SqliteQueue::open(&file, settings, Arc::new(SystemClock))?;
/// # wallet_testkit::block_on(async {
/// let message = Message {
///     id: "0/ada/1/1".to_owned(),
///     group: "0/ada".to_owned(),
///     attributes: Vec::new(),
///     body: "{}".to_owned(),
/// };
/// queue.publish(&[message.clone()]).await?;
/// queue.publish(&[message.clone()]).await?;
/// let received = queue.receive(10, Duration::from_secs(30)).await?;
/// assert_eq!(received.len(), 1, "sent twice, received once");
/// assert_eq!(received[0].message, message);
/// queue.delete(&received[0].receipt).await?;
/// assert_eq!(queue.len().await?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteQueue {
    tables: Tables,
    settings: SqliteQueueSettings,
    clock: Arc<dyn Clock>,
    /// Notifies waiting receives that a message may be available.
    changed: Notify,
}

impl SqliteQueue {
    /// Opens a queue in the file, and creates the file if its settings allow it. Creates the
    /// tables unless the settings disable migration. The file may hold other tables of any
    /// application. Other settings that apply: the wait for the lock, the pages between
    /// checkpoints, the size of the page cache, and the guard of the log. Blocks while it opens.
    ///
    /// # Errors
    /// - `Internal`: a setting is out of range; the file has several names (hard links); or
    ///   the tables are missing and the settings disable creating them.
    /// - `Corrupt`: the file is no database at all.
    /// - `Conflict`, `Unavailable`: the file is locked, or cannot be opened. `Conflict` also if
    ///   another process guards the log (see [`SqliteSettings::guard_log`]).
    pub fn open(
        file: &SqliteSettings,
        settings: SqliteQueueSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        settings.validate()?;
        let tables = Tables::open(file, &SCHEMA)?;
        Ok(Self {
            tables,
            settings,
            clock,
            changed: Notify::new(),
        })
    }

    /// Creates the tables in the database of `connection` if they are missing. Uses the open
    /// transaction, if there is one.
    ///
    /// # Errors
    /// `Conflict`: another connection holds the write lock. Also any other error of SQLite.
    pub fn create_in(connection: &Connection) -> Result<()> {
        SCHEMA.ensure(connection)
    }

    /// The number of messages, held or not.
    ///
    /// # Errors
    /// The errors of SQLite.
    #[allow(
        clippy::len_without_is_empty,
        reason = "a queue may be filled before the answer is used"
    )]
    pub async fn len(&self) -> Result<u64> {
        let name = self.settings.name.clone();
        self.tables
            .read(move |state| rows::count(state, &name))
            .await
    }

    /// Runs `work` in a transaction, with the time when it holds the write lock.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &SqliteQueueSettings, Timestamp) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (settings, clock) = (self.settings.clone(), Arc::clone(&self.clock));
        let written = self
            .tables
            .write(move |open| work(open, &settings, clock.now()));
        written.await
    }

    /// Receives what is there now.
    async fn take(&self, limit: u32, visibility: Duration) -> Result<Vec<Received>> {
        let now = self.clock.now();
        let name = self.settings.name.clone();
        let look = move |state: &Connection| rows::has_work(state, &name, now);
        if limit == 0 || !self.tables.read(look).await? {
            return Ok(Vec::new());
        }
        let take = self.write(move |open, settings, now| {
            rows::hold_again(open, &settings.name, now)?;
            if let Some(dead) = &settings.dead_letters {
                rows::bury(open, &settings.name, now, dead)?;
            }
            let until = now.saturating_add(visibility);
            rows::receive(open, &settings.name, now, limit, until)
        });
        take.await
    }

    /// Deletes messages. Returns for each whether it is deleted.
    async fn end(&self, receipts: Vec<String>) -> Result<Vec<bool>> {
        let ended = self.write(move |open, settings, now| {
            let each = receipts.iter();
            each.map(|receipt| rows::delete(open, &settings.name, now, receipt))
                .collect()
        });
        let ended = ended.await?;
        // The other messages of their groups may be received now.
        self.changed.notify_waiters();
        Ok(ended)
    }
}

/// Whether a message may be sent in some call.
fn fits(message: &Message) -> bool {
    let others = message.attributes.iter();
    let others = others.filter(|(name, _)| name != EVENT_ID).count();
    message.bytes() <= LIMITS.bytes && others <= ATTRIBUTES_MAX
}

fn send(
    open: &Connection,
    settings: &SqliteQueueSettings,
    now: Timestamp,
    messages: &[Message],
) -> Result<Vec<Published>> {
    let oldest = now.saturating_sub(settings.window);
    rows::forget(open, &settings.name, now, oldest)?;
    let mut stopped: BTreeSet<&str> = BTreeSet::new();
    let mut published = Vec::with_capacity(messages.len());
    for message in messages {
        published.push(if stopped.contains(message.group.as_str()) {
            let reason = "behind one that was refused".to_owned();
            Published::Failed { reason }
        } else if fits(message) {
            rows::send(open, &settings.name, now, message)?;
            Published::Done
        } else {
            stopped.insert(&message.group);
            let reason = "larger than a message may be".to_owned();
            Published::Refused { reason }
        });
    }
    Ok(published)
}

#[async_trait]
impl EventPublisher for SqliteQueue {
    fn limits(&self) -> PublisherLimits {
        LIMITS
    }

    async fn publish(&self, messages: &[Message]) -> Answer<Vec<Published>> {
        let bytes = messages.iter().map(Message::bytes);
        let bytes = bytes.fold(0, usize::saturating_add);
        let several = messages.len() > 1;
        if messages.len() > LIMITS.messages || (several && bytes > LIMITS.bytes) {
            return Err(DeliveryError::new("more than a call takes"));
        }
        let messages = messages.to_vec();
        let published = self.write(move |open, settings, now| send(open, settings, now, &messages));
        let published = published.await.map_err(failed)?;
        self.changed.notify_waiters();
        Ok(published)
    }
}

#[async_trait]
impl MessageQueue for SqliteQueue {
    async fn receive(&self, limit: u32, visibility: Duration) -> Answer<Vec<Received>> {
        // A sleep, not a time: the clock may step back.
        let mut end = self.clock.sleep(self.settings.wait);
        let mut is_over = self.settings.wait.is_zero();
        loop {
            // Registered before the check, so that no change in between is missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let received = self.take(limit, visibility).await.map_err(failed)?;
            if !received.is_empty() || is_over {
                return Ok(received);
            }
            let pause = select(changed, self.clock.sleep(self.settings.poll));
            is_over = matches!(select(&mut end, pause).await, Either::Left(_));
        }
    }

    async fn extend(&self, receipt: &str, visibility: Duration) -> Answer<()> {
        let receipt = receipt.to_owned();
        let extended = self.write(move |open, settings, now| {
            let until = now.saturating_add(visibility);
            rows::extend(open, &settings.name, now, &receipt, until)
        });
        let extended = extended.await.map_err(failed)?;
        self.changed.notify_waiters();
        if extended { Ok(()) } else { Err(stale()) }
    }

    async fn delete(&self, receipt: &str) -> Answer<()> {
        let receipt = receipt.to_owned();
        let mut deleted = self.delete_batch(&[receipt]).await;
        deleted.pop().unwrap_or_else(|| Err(stale()))
    }

    async fn delete_batch(&self, receipts: &[String]) -> Vec<Answer<()>> {
        if receipts.is_empty() {
            return Vec::new();
        }
        match self.end(receipts.to_vec()).await {
            Ok(ended) => {
                let answer = |is_ended| if is_ended { Ok(()) } else { Err(stale()) };
                ended.into_iter().map(answer).collect()
            }
            Err(error) => {
                let reason = error.to_string();
                let answer = |_: &String| Err(DeliveryError::new(reason.clone()));
                receipts.iter().map(answer).collect()
            }
        }
    }
}

fn failed(error: StoreError) -> DeliveryError {
    DeliveryError::new("the queue's file").with_source(error)
}

fn stale() -> DeliveryError {
    DeliveryError::new("the message is no longer held by the caller")
}
