//! Handles one event: the part that consumers of a queue and handlers behind a relay share.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::RwLock;
use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position, Restore};
use wallet_core::messaging::{DeliveryError, Inbox, InboxStep};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;

use super::restored::Known;
use super::stats::{ConsumerStats, Counters};
use super::{Delivery, EventHandler, Gaps, Handled, Missed, Start, call, catch_up};
use crate::event::{Event, EventError, Parsed};

/// Why an event was not completed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Unreadable(#[from] EventError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Handler(#[from] DeliveryError),
    #[error(transparent)]
    Restored(DeliveryError),
    #[error("events are missing before this one, and there is no ledger to read them from")]
    Gap,
    #[error("the handler found the account's position moved, the consumer's inbox did not")]
    NotMoved,
}

/// A handler with its inbox.
#[derive(Debug)]
pub(crate) struct Steps {
    pub(super) name: String,
    pub(super) inbox: Arc<dyn Inbox>,
    pub(super) handler: Arc<dyn EventHandler>,
    pub(super) known: RwLock<Known>,
    pub(super) stats: Counters,
    pub(super) ledger: Option<Arc<dyn LedgerStore>>,
    clock: Arc<dyn Clock>,
    handler_wait: Duration,
    start: Start,
    gaps: Gaps,
}

/// The content of a message.
enum Read {
    /// An event. Whether its step begins at the account's position is checked later.
    Known(Box<Delivery>),
    /// A type of a later release.
    Unknown(AccountKey, Position),
}

fn read(body: &str) -> Result<Read, EventError> {
    Ok(match Event::parse(body)? {
        Parsed::Known(event) => {
            let (account, to) = (event.account, event.position());
            let from = Position::START;
            let step = InboxStep { account, from, to };
            Read::Known(Box::new(Delivery {
                event,
                step,
                restored: None,
                missed: None,
            }))
        }
        Parsed::Unknown {
            account, position, ..
        } => Read::Unknown(account, position),
    })
}

impl Steps {
    /// A handler that `inbox` knows by `name`, and that answers within `handler_wait`. If
    /// versions are missing, they are read from `ledger`.
    pub(crate) fn new(
        name: String,
        inbox: Arc<dyn Inbox>,
        handler: Arc<dyn EventHandler>,
        ledger: Option<Arc<dyn LedgerStore>>,
        clock: Arc<dyn Clock>,
        handler_wait: Duration,
    ) -> Self {
        Self {
            name,
            inbox,
            handler,
            known: RwLock::default(),
            stats: Counters::default(),
            ledger,
            clock,
            handler_wait,
            start: Start::default(),
            gaps: Gaps::default(),
        }
    }

    /// The same with another start, and another meaning of gaps.
    pub(crate) const fn with(mut self, start: Start, gaps: Gaps) -> Self {
        self.start = start;
        self.gaps = gaps;
        self
    }

    /// The same, nothing done so far, with another ledger.
    pub(super) fn with_ledger(&self, ledger: Arc<dyn LedgerStore>) -> Self {
        let (inbox, handler) = (Arc::clone(&self.inbox), Arc::clone(&self.handler));
        let (name, clock) = (self.name.clone(), Arc::clone(&self.clock));
        let steps = Self::new(name, inbox, handler, Some(ledger), clock, self.handler_wait);
        steps.with(self.start, self.gaps)
    }

    pub(crate) fn stats(&self) -> ConsumerStats {
        self.stats.snapshot()
    }

    /// Handles the event in the body of a message. On success its step is recorded, now or
    /// before.
    pub(crate) async fn message(&self, body: &str) -> Result<(), Failure> {
        self.stats.received.add(1);
        let done = match read(body) {
            Ok(Read::Known(delivery)) => self.event(delivery).await,
            Ok(Read::Unknown(account, position)) => self.pass_over(account, position).await,
            Err(error) => Err(error.into()),
        };
        if let Err(failure) = &done {
            if matches!(failure, Failure::Unreadable(_)) {
                self.stats.unreadable.add(1);
            }
            self.stats.failed(failure);
        }
        done
    }

    async fn position(&self, account: AccountKey) -> Result<Position, StoreError> {
        let positions = self.inbox.positions(&self.name, &[account]).await?;
        Ok(positions.first().copied().unwrap_or_default())
    }

    async fn event(&self, mut delivery: Box<Delivery>) -> Result<(), Failure> {
        let InboxStep { account, to, .. } = delivery.step;
        self.restored(&delivery.event.restores).await?;
        loop {
            let from = self.position(account).await?;
            let step = InboxStep { account, from, to };
            if to > from && self.is_behind(&step) {
                self.ask_for_restores().await?;
            }
            // The handler is not notified of a restore before this call.
            let known = self.known.read().await;
            if to <= from {
                self.stats.duplicates.add(1);
                return Ok(());
            }
            if known.is_lost(&delivery.event) {
                self.stats.superseded.add(1);
                return Ok(());
            }
            delivery.step = step;
            delivery.restored = known.between(from, &delivery.event);
            delivery.missed = self.missed(&step, delivery.restored).await?;
            let handle = async { self.handler.handle(&delivery).await };
            match call::within(&*self.clock, self.handler_wait, handle).await? {
                Handled::Recorded => break,
                Handled::Unrecorded => {
                    self.record(step).await?;
                    break;
                }
                Handled::Moved => {
                    if self.position(account).await? == from {
                        return Err(Failure::NotMoved);
                    }
                }
            }
        }
        self.stats.handled.add(1);
        Ok(())
    }

    /// Whether versions are missing, or may be missing, between the ends of a step.
    fn is_behind(&self, step: &InboxStep) -> bool {
        let InboxStep { from, to, .. } = step;
        let begins = *from == Position::START && self.start == Start::FirstSeen;
        let is_same = from.epoch == to.epoch || *from == Position::START;
        let is_next = is_same && from.version.checked_add(1) == Some(to.version);
        !is_next && !begins && self.gaps != Gaps::Expected
    }

    /// Reads what is missing before a step, if the consumer needs it.
    async fn missed(
        &self,
        step: &InboxStep,
        restored: Option<Restore>,
    ) -> Result<Option<Missed>, Failure> {
        if !self.is_behind(step) {
            return Ok(None);
        }
        self.stats.gaps.add(1);
        let lost_after = restored.map(|restore| restore.restored_to);
        match self.ledger.as_deref() {
            Some(ledger) => Ok(Some(catch_up::missed(ledger, step, lost_after).await?)),
            // The handler is notified and reads the account itself.
            None if restored.is_some() => Ok(None),
            None => Err(Failure::Gap),
        }
    }

    /// Records a handled step. If another process has moved the position meanwhile, the
    /// position ends at the step's end or later.
    async fn record(&self, mut step: InboxStep) -> Result<(), Failure> {
        while !self.inbox.advance(&self.name, &step).await? {
            step.from = self.position(step.account).await?;
            if step.from >= step.to {
                break;
            }
        }
        Ok(())
    }

    /// An event of a later release: it is recorded as seen and has no effect. Behind a
    /// gap, the next event reports what was missed.
    async fn pass_over(&self, account: AccountKey, to: Position) -> Result<(), Failure> {
        let from = self.position(account).await?;
        let is_same = from.epoch == to.epoch || from == Position::START;
        if is_same && from.version.checked_add(1) == Some(to.version) {
            let step = InboxStep { account, from, to };
            self.inbox.advance(&self.name, &step).await?;
        }
        self.stats.unknown.add(1);
        Ok(())
    }
}
