use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use wallet_core::history::{HistoryError, HistoryLine, HistoryStore, catch_up, fill};
use wallet_core::ledger::{AccountKey, Restore, Sequence};
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet_core::runtime::Counter;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{Entry, StoreError, Timestamp};

use crate::{Delivery, Event, EventHandler, Handled, Parsed};

/// The most events that are projected together.
const MESSAGES: usize = 500;
const BYTES: usize = 8 << 20;
/// How often events are checked again because the ledger's database went back, or another
/// process found it out first.
const TURNS: usize = 4;

/// Projects events into the history of accounts, from the outbox or from a queue.
///
/// - As an [`EventPublisher`] behind a [`Relay`](crate::Relay) it receives the committed
///   events of the outbox. Set
///   [`system_accounts`](crate::RelaySettings::system_accounts); otherwise the history of
///   system accounts stays empty.
/// - As an [`EventHandler`] of a [`Consumer`](crate::Consumer) it receives events from a
///   queue, which other consumers may read from too.
///
/// Repeated events change nothing. If events are missing, their entries are read from the
/// ledger, so that history has no gap. History may therefore start at any time, together
/// with a [`Backfill`](wallet_core::history::Backfill) of the earlier entries.
///
/// After a restore of the ledger's database, the account's first event of the new epoch
/// supersedes the lines in doubt. The projector then reads from the ledger what the books
/// hold of the account. An event that may be lost is not written: the account is read
/// from the ledger instead.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::SystemClock;
/// use wallet_core::memory::{MemoryHistory, MemoryStore};
/// use wallet_events::{Projector, Relay, RelaySettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let books = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
/// let history = Arc::new(MemoryHistory::new());
/// let projector = Arc::new(Projector::new(history, books.clone()));
/// let mut settings = RelaySettings::new("history/1");
/// settings.system_accounts = true;
/// settings.calls_max = Projector::CALLS;
/// let clock = Arc::new(SystemClock);
/// let relay = Relay::builder(books.clone(), books, projector.clone(), clock, settings).build()?;
/// # drop(relay);
/// assert_eq!(projector.stats().lines, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Projector {
    history: Arc<dyn HistoryStore>,
    ledger: Arc<dyn LedgerStore>,
    lines: Counter,
    filled: Counter,
    doubted: Counter,
    /// The restores of the ledger, by its last answer.
    restores: Mutex<Option<Arc<[Restore]>>>,
    /// Microseconds; the smallest number before the first event.
    latest: AtomicI64,
}

/// What a [`Projector`] has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectorStats {
    /// Lines written from events, repeated ones included.
    pub lines: u64,
    /// Lines read from the ledger, because their events did not arrive.
    pub filled: u64,
    /// Events that a restore of the ledger's database leaves in doubt, repeated ones
    /// included. They were not written as they arrived.
    pub doubted: u64,
    /// The time of the latest event in history. While there are events, the time since
    /// then is the lag. [`Relay::depth`](crate::Relay::depth) returns what waits in the
    /// outbox.
    pub latest: Option<Timestamp>,
}

type Lines = BTreeMap<AccountKey, BTreeMap<Sequence, HistoryLine>>;

impl Projector {
    /// The recommended number of concurrent calls of a relay
    /// ([`RelaySettings::calls_max`](crate::RelaySettings::calls_max)). Each call is
    /// large and makes several calls to the history.
    pub const CALLS: usize = 4;

    /// Projects events into `history`; what is missing is read from `ledger`.
    #[must_use]
    pub fn new(history: Arc<dyn HistoryStore>, ledger: Arc<dyn LedgerStore>) -> Self {
        Self {
            history,
            ledger,
            lines: Counter::default(),
            filled: Counter::default(),
            doubted: Counter::default(),
            restores: Mutex::default(),
            latest: AtomicI64::new(i64::MIN),
        }
    }

    /// The stats so far.
    #[must_use]
    pub fn stats(&self) -> ProjectorStats {
        let latest = self.latest.load(Ordering::Relaxed);
        ProjectorStats {
            lines: self.lines.get(),
            filled: self.filled.get(),
            doubted: self.doubted.get(),
            latest: (latest > i64::MIN).then(|| Timestamp::from_micros(latest)),
        }
    }

    /// Projects events into history, in any order and any number of times. When it
    /// returns, history holds the events and everything before them on their accounts.
    ///
    /// # Errors
    /// [`HistoryError`]: the errors of the stores. Some of the events may be in history;
    /// project them again.
    pub async fn project(&self, events: &[Event]) -> Result<(), HistoryError> {
        let mut turns = TURNS;
        loop {
            let restores = self.restores_of(events).await?;
            match self.project_after(events, &restores).await {
                // The account, or this projector's knowledge, is of an earlier epoch.
                Err(HistoryError::Epoch { .. }) if turns > 0 => {
                    turns = turns.saturating_sub(1);
                    self.ask().await?;
                    let accounts = events.iter().map(|event| event.account);
                    self.catch_up(accounts.collect()).await?;
                }
                other => {
                    other?;
                    break;
                }
            }
        }
        let latest = events.iter().map(|event| event.at.as_micros()).max();
        if let Some(latest) = latest {
            self.latest.fetch_max(latest, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Projects events into a history of books with these restores.
    async fn project_after(
        &self,
        events: &[Event],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        let mut lines = Lines::new();
        let mut doubted = Vec::new();
        for event in events {
            if !Restore::holds(restores, event.epoch, event.at) {
                doubted.push(event.account);
            } else if let Some(line) = line_of(event)? {
                let account = lines.entry(event.account).or_default();
                account.insert(line.entry.sequence, line);
            }
        }
        if !doubted.is_empty() {
            let count = u64::try_from(doubted.len()).unwrap_or(u64::MAX);
            // The books may still hold these events: then the lines come from the books.
            self.catch_up(doubted).await?;
            self.doubted.add(count);
        }
        self.close_gaps(&mut lines).await?;
        self.append(&lines, restores).await
    }

    /// The restores of the ledger that cover all these events.
    async fn restores_of(&self, events: &[Event]) -> Result<Arc<[Restore]>, StoreError> {
        let newest = events.iter().map(|event| event.epoch).max();
        let newest = newest.unwrap_or_default();
        let known = self
            .known()
            .filter(|known| Restore::current(known) >= newest);
        let restores = match known {
            Some(known) => known,
            None => self.ask().await?,
        };
        if Restore::current(&restores) < newest {
            // A read replica may lag behind, or the epoch is not raised yet.
            let context = "the ledger does not know yet of the epoch of an event";
            return Err(StoreError::new(StoreErrorKind::Unavailable, context));
        }
        Ok(restores)
    }

    /// Reads the restores from the ledger now.
    async fn ask(&self) -> Result<Arc<[Restore]>, StoreError> {
        let restores: Arc<[Restore]> = self.ledger.epochs().await?.all_restores().into();
        let mut known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&restores));
        Ok(restores)
    }

    fn known(&self) -> Option<Arc<[Restore]>> {
        let known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Brings accounts up to the ledger's state, in its present epoch.
    async fn catch_up(&self, mut accounts: Vec<AccountKey>) -> Result<(), HistoryError> {
        accounts.sort_unstable();
        accounts.dedup();
        let (history, ledger) = (self.history.as_ref(), self.ledger.as_ref());
        let filled = catch_up(history, ledger, &accounts).await?;
        self.filled.add(filled);
        Ok(())
    }

    /// Of an account with gaps, only the last consecutive events are kept; the lines
    /// before them are read from the ledger.
    async fn close_gaps(&self, lines: &mut Lines) -> Result<(), HistoryError> {
        for (account, lines) in lines {
            let mut first = None;
            for sequence in lines.keys().rev().copied() {
                let follows = first.is_none_or(|next| sequence.checked_add(1) == Some(next));
                if !follows {
                    break;
                }
                first = Some(sequence);
            }
            let first = first.unwrap_or(Sequence::MAX);
            let rest = lines.split_off(&first);
            if !lines.is_empty() {
                self.fill(*account, first).await?;
            }
            *lines = rest;
        }
        Ok(())
    }

    async fn append(&self, lines: &Lines, restores: &[Restore]) -> Result<(), HistoryError> {
        let all: Vec<HistoryLine> = lines.values().flat_map(BTreeMap::values).cloned().collect();
        if all.is_empty() {
            return Ok(());
        }
        // Each iteration fills one account.
        let mut turns = lines.len();
        loop {
            match self.history.append(&all, restores).await {
                Ok(()) => break,
                Err(HistoryError::Gap { account, found, .. }) if turns > 0 => {
                    turns = turns.saturating_sub(1);
                    self.fill(account, found).await?;
                }
                Err(error) => return Err(error),
            }
        }
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        self.lines.add(count);
        Ok(())
    }

    /// Reads what is missing before an entry.
    async fn fill(&self, account: AccountKey, before: Sequence) -> Result<(), HistoryError> {
        let last = before.saturating_sub(1);
        let (history, ledger) = (self.history.as_ref(), self.ledger.as_ref());
        let filled = fill(history, ledger, account, last).await?;
        self.filled.add(filled);
        Ok(())
    }
}

/// The line of an event; `None` if no money moved.
fn line_of(event: &Event) -> Result<Option<HistoryLine>, StoreError> {
    let (Some(entry), Some(transfer)) = (&event.entry, &event.transfer) else {
        return Ok(None);
    };
    let entry = Entry {
        account: event.account,
        sequence: entry.sequence,
        epoch: event.epoch,
        version: event.version,
        direction: entry.direction,
        amount: entry.amount,
        balance_after: event.balance.posted,
        transfer: transfer.key.id,
        leg: entry.leg,
        created_at: event.at,
    };
    HistoryLine::of(entry, transfer).map(Some)
}

#[async_trait]
impl EventPublisher for Projector {
    fn limits(&self) -> PublisherLimits {
        PublisherLimits {
            messages: MESSAGES,
            bytes: BYTES,
            keeps_order: true,
        }
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let mut events = Vec::with_capacity(messages.len());
        let mut published = Vec::with_capacity(messages.len());
        for message in messages {
            published.push(match Event::parse(&message.body) {
                Ok(Parsed::Known(event)) => {
                    events.push(event);
                    Published::Done
                }
                // A type of a later release. If it moved money, its entry is found
                // missing with the account's next entry and read from the ledger.
                Ok(Parsed::Unknown { .. }) => Published::Done,
                Err(error) => Published::Refused {
                    reason: error.to_string(),
                },
            });
        }
        if let Err(error) = self.project(&events).await {
            let reason = error.to_string();
            let failed = |published| match published {
                Published::Done => Published::Failed {
                    reason: reason.clone(),
                },
                other => other,
            };
            published = published.into_iter().map(failed).collect();
        }
        Ok(published)
    }
}

#[async_trait]
impl EventHandler for Projector {
    async fn handle(&self, delivery: &Delivery) -> Result<Handled, DeliveryError> {
        let event = std::slice::from_ref(&delivery.event);
        let projected = self.project(event).await;
        let failed = |error| DeliveryError::new("history").with_source(error);
        projected.map(|()| Handled::Unrecorded).map_err(failed)
    }

    /// Lines in doubt are superseded account by account, with the next event of each.
    /// Until then no reader that knows the restore reads them.
    async fn restored(&self, restore: &Restore) -> Result<(), DeliveryError> {
        let failed = |error| DeliveryError::new("the ledger's epochs").with_source(error);
        let restores = self.ask().await.map_err(failed)?;
        if Restore::current(&restores) < restore.epoch {
            let reason = "the ledger does not know yet of a restore";
            return Err(DeliveryError::new(reason));
        }
        Ok(())
    }
}
