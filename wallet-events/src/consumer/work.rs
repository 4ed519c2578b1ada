//! Handles the messages of one group.

use futures_util::FutureExt;
use thiserror::Error;
use wallet_core::StoreError;
use wallet_core::ledger::{AccountKey, Position, Restore};
use wallet_core::messaging::DeliveryError;
use wallet_core::messaging::{InboxStep, Received};

use super::{Core, Delivery, Gaps, Handled, Missed, Start, catch_up};
use crate::delivery::HeldMessages;
use crate::event::{Event, EventError, Parsed};

/// Why a message was not completed.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Unreadable(#[from] EventError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Handler(#[from] DeliveryError),
    #[error("events are missing before this one, and there is no ledger to read them from")]
    Gap,
    #[error("the handler found the account's position moved, the consumer's inbox did not")]
    NotMoved,
}

/// The content of a message.
enum Read {
    /// An event. Whether its step begins at the account's position is checked later.
    Known(Box<Delivery>),
    /// A type of a later release.
    Unknown(AccountKey, Position),
}

fn read(received: &Received) -> Result<Read, EventError> {
    Ok(match Event::parse(&received.message.body)? {
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

impl Core {
    /// Handles the messages of one group in order, up to the first failure. The failed
    /// message and those behind it go back. Returns the numbers of the completed
    /// messages.
    pub(super) async fn group(
        &self,
        messages: Vec<(usize, Received)>,
        hands: &HeldMessages<'_>,
    ) -> Vec<usize> {
        let mut numbers: Vec<_> = messages.iter().map(|(number, _)| *number).collect();
        // Boxed, because the future is large.
        let (done, failed) = self.in_order(&messages).boxed().await;
        let left = numbers.split_off(done);
        if let Some(receives) = failed {
            let pause = self.settings.retry.pause(receives);
            hands.give_back_some(&left, pause).await;
        }
        numbers
    }

    /// How many messages were completed, and the receive count of the failed message, if
    /// any.
    async fn in_order(&self, messages: &[(usize, Received)]) -> (usize, Option<u32>) {
        for (done, (_, received)) in messages.iter().enumerate() {
            self.stats.received.add(1);
            if let Err(failure) = self.message(received).await {
                if matches!(failure, Failure::Unreadable(_)) {
                    self.stats.unreadable.add(1);
                }
                self.stats.failed(&failure);
                return (done, Some(received.receives));
            }
        }
        (messages.len(), None)
    }

    async fn message(&self, received: &Received) -> Result<(), Failure> {
        match read(received)? {
            Read::Known(delivery) => self.event(delivery).await,
            Read::Unknown(account, position) => self.pass_over(account, position).await,
        }
    }

    async fn position(&self, account: AccountKey) -> Result<Position, StoreError> {
        let positions = self
            .inbox
            .positions(&self.settings.name, &[account])
            .await?;
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
            match self.handler.handle(&delivery).await? {
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
        let begins = *from == Position::START && self.settings.start == Start::FirstSeen;
        let is_same = from.epoch == to.epoch || *from == Position::START;
        let is_next = is_same && from.version.checked_add(1) == Some(to.version);
        !is_next && !begins && self.settings.gaps != Gaps::Expected
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
        while !self.inbox.advance(&self.settings.name, &step).await? {
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
            self.inbox.advance(&self.settings.name, &step).await?;
        }
        self.stats.unknown.add(1);
        Ok(())
    }
}
