use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use wallet_core::history::fill;
use wallet_core::{
    AccountKey, Entry, EventPublisher, HistoryError, HistoryLine, HistoryStore, LedgerStore,
    Message, PublishError, Published, PublisherLimits, Sequence, StoreError, Timestamp,
};

use crate::{Delivery, Event, EventHandler, Handled, HandlerError, Parsed};

/// Events that are projected together.
const MESSAGES: usize = 500;
const BYTES: usize = 8 << 20;

/// Brings events into the history of accounts, from the outbox or from a queue.
///
/// - As an [`EventPublisher`] behind a [`Relay`](crate::Relay) it takes what is
///   committed from the outbox itself. Set
///   [`system_accounts`](crate::RelaySettings::system_accounts), or the history of
///   the host's own accounts stays empty.
/// - As an [`EventHandler`] of a [`Consumer`](crate::Consumer) it takes events from a
///   queue, where others have them, too.
///
/// Events that come twice change nothing. Where some did not come, their entries
/// are read from the ledger, so that history has no gap; and so it may begin at any
/// time, beside a [`Backfill`](wallet_core::history::Backfill) of what was before.
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
    lines: AtomicU64,
    filled: AtomicU64,
    /// Microseconds; the least number before the first.
    latest: AtomicI64,
}

/// What a [`Projector`] has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectorStats {
    /// Lines that events brought, each time that they came.
    pub lines: u64,
    /// Lines that were read from the ledger, because their events did not come.
    pub filled: u64,
    /// The time of the latest event that is in history: how far it lags behind is
    /// the time since then, while there are events. What waits in the outbox is
    /// told by [`Relay::depth`](crate::Relay::depth).
    pub latest: Option<Timestamp>,
}

type Lines = BTreeMap<AccountKey, BTreeMap<Sequence, HistoryLine>>;

impl Projector {
    /// How many calls a relay best makes at a time
    /// ([`RelaySettings::calls_max`](crate::RelaySettings::calls_max)): each is large,
    /// and makes several calls of the history's own.
    pub const CALLS: usize = 4;

    /// From events into `history`; what is missing is read from `ledger`.
    #[must_use]
    pub const fn new(history: Arc<dyn HistoryStore>, ledger: Arc<dyn LedgerStore>) -> Self {
        Self {
            history,
            ledger,
            lines: AtomicU64::new(0),
            filled: AtomicU64::new(0),
            latest: AtomicI64::new(i64::MIN),
        }
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> ProjectorStats {
        let latest = self.latest.load(Ordering::Relaxed);
        ProjectorStats {
            lines: self.lines.load(Ordering::Relaxed),
            filled: self.filled.load(Ordering::Relaxed),
            latest: (latest > i64::MIN).then(|| Timestamp::from_micros(latest)),
        }
    }

    /// Brings events into history, in any order and as often as they come. When it
    /// returns, they are in it, and everything before them on their accounts.
    ///
    /// # Errors
    /// [`HistoryError`]: those of the stores. Some of them may be in it; project
    /// them again.
    pub async fn project(&self, events: &[Event]) -> Result<(), HistoryError> {
        let mut lines = Lines::new();
        for event in events {
            if let Some(line) = line_of(event)? {
                let account = lines.entry(event.account).or_default();
                account.insert(line.entry.sequence, line);
            }
        }
        self.close_gaps(&mut lines).await?;
        self.append(&lines).await?;
        let latest = events.iter().map(|event| event.at.as_micros()).max();
        if let Some(latest) = latest {
            self.latest.fetch_max(latest, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Of an account whose events are not one after the other only the last ones
    /// are kept that are; what lies before them is filled.
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

    async fn append(&self, lines: &Lines) -> Result<(), HistoryError> {
        let all: Vec<HistoryLine> = lines.values().flat_map(BTreeMap::values).cloned().collect();
        if all.is_empty() {
            return Ok(());
        }
        // Each turn fills one account.
        let mut turns = lines.len();
        loop {
            match self.history.append(&all).await {
                Ok(()) => break,
                Err(HistoryError::Gap { account, found, .. }) if turns > 0 => {
                    turns = turns.saturating_sub(1);
                    self.fill(account, found).await?;
                }
                Err(error) => return Err(error),
            }
        }
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        self.lines.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Reads what is missing before an entry.
    async fn fill(&self, account: AccountKey, before: Sequence) -> Result<(), HistoryError> {
        let last = before.saturating_sub(1);
        let (history, ledger) = (self.history.as_ref(), self.ledger.as_ref());
        let filled = fill(history, ledger, account, last).await?;
        self.filled.fetch_add(filled, Ordering::Relaxed);
        Ok(())
    }
}

/// The line of an event; none where no money moved.
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

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, PublishError> {
        let mut events = Vec::with_capacity(messages.len());
        let mut published = Vec::with_capacity(messages.len());
        for message in messages {
            published.push(match Event::parse(&message.body) {
                Ok(Parsed::Known(event)) => {
                    events.push(event);
                    Published::Done
                }
                // Of a later release. If it moved money, what it wrote is found
                // missing with the account's next entry, and read from the ledger.
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
    async fn handle(&self, delivery: &Delivery) -> Result<Handled, HandlerError> {
        let event = std::slice::from_ref(&delivery.event);
        let projected = self.project(event).await;
        let failed = |error| HandlerError::new("history").with_source(error);
        projected.map(|()| Handled::Unrecorded).map_err(failed)
    }
}
