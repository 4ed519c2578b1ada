//! What becomes of the messages of one group.

use futures_util::FutureExt;
use thiserror::Error;
use wallet_core::{AccountKey, InboxStep, Received, StoreError, Version};

use super::stats::count;
use super::{Core, Delivery, Gaps, Handled, HandlerError, Missed, Start, catch_up};
use crate::carry::Hands;
use crate::event::{Event, EventError, Parsed};

/// Why a message was not done with.
#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Unreadable(#[from] EventError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Handler(#[from] HandlerError),
    #[error("events are missing before this one, and there is no ledger to read them from")]
    Gap,
    #[error("the handler found the account's position moved, the consumer's inbox did not")]
    NotMoved,
}

/// What a message tells.
enum Read {
    /// An event, whose step is not yet known to begin where the account stands.
    Known(Box<Delivery>),
    /// Something of a later release.
    Unknown(AccountKey, Version),
}

fn read(received: &Received) -> Result<Read, EventError> {
    Ok(match Event::parse(&received.message.body)? {
        Parsed::Known(event) => {
            let (account, to) = (event.account, event.version);
            let (from, missed) = (0, None);
            let step = InboxStep { account, from, to };
            Read::Known(Box::new(Delivery {
                event,
                step,
                missed,
            }))
        }
        Parsed::Unknown {
            account, version, ..
        } => Read::Unknown(account, version),
    })
}

impl Core {
    /// Handles messages of one group in order, up to the first that fails; that
    /// one and the rest go back. Answers the numbers of those done with.
    pub(super) async fn group(
        &self,
        messages: Vec<(usize, Received)>,
        hands: &Hands<'_>,
    ) -> Vec<usize> {
        let mut numbers: Vec<_> = messages.iter().map(|(number, _)| *number).collect();
        // Boxed: large as it is, the work is not moved about.
        let (done, failed) = self.in_order(&messages).boxed().await;
        let left = numbers.split_off(done);
        if let Some(receives) = failed {
            let pause = self.settings.pause(receives);
            hands.give_back_some(&left, pause).await;
        }
        numbers
    }

    /// How many were done with, and how often the one that failed was received,
    /// where one did.
    async fn in_order(&self, messages: &[(usize, Received)]) -> (usize, Option<u32>) {
        for (done, (_, received)) in messages.iter().enumerate() {
            count(&self.stats.received);
            if let Err(failure) = self.message(received).await {
                if matches!(failure, Failure::Unreadable(_)) {
                    count(&self.stats.unreadable);
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
            Read::Unknown(account, version) => self.pass_over(account, version).await,
        }
    }

    async fn position(&self, account: AccountKey) -> Result<Version, StoreError> {
        let positions = self
            .inbox
            .positions(&self.settings.name, &[account])
            .await?;
        Ok(positions.first().copied().unwrap_or(0))
    }

    async fn event(&self, mut delivery: Box<Delivery>) -> Result<(), Failure> {
        let InboxStep { account, to, .. } = delivery.step;
        let mut from = self.position(account).await?;
        loop {
            if to <= from {
                count(&self.stats.duplicates);
                return Ok(());
            }
            let step = InboxStep { account, from, to };
            delivery.step = step;
            delivery.missed = self.missed(&step).await?;
            match self.handler.handle(&delivery).await? {
                Handled::Recorded => break,
                Handled::Unrecorded => {
                    self.record(step).await?;
                    break;
                }
                Handled::Moved => {
                    let now = self.position(account).await?;
                    if now == from {
                        return Err(Failure::NotMoved);
                    }
                    from = now;
                }
            }
        }
        count(&self.stats.handled);
        Ok(())
    }

    /// What is missing before a step, where that matters.
    async fn missed(&self, step: &InboxStep) -> Result<Option<Missed>, Failure> {
        let begins = step.from == 0 && self.settings.start == Start::FirstSeen;
        let is_next = step.from.checked_add(1) == Some(step.to);
        if is_next || begins || self.settings.gaps == Gaps::Expected {
            return Ok(None);
        }
        count(&self.stats.gaps);
        let ledger = self.ledger.as_deref().ok_or(Failure::Gap)?;
        Ok(Some(catch_up::missed(ledger, step).await?))
    }

    /// Records what has been done already: whoever moved the position meanwhile,
    /// it ends where the step does, or further.
    async fn record(&self, mut step: InboxStep) -> Result<(), Failure> {
        while !self.inbox.advance(&self.settings.name, &step).await? {
            step.from = self.position(step.account).await?;
            if step.from >= step.to {
                break;
            }
        }
        Ok(())
    }

    /// An event of a later release: seen, without effect. Behind a gap it is left
    /// to the next event, which tells what was missed.
    async fn pass_over(&self, account: AccountKey, version: Version) -> Result<(), Failure> {
        let from = self.position(account).await?;
        if from.checked_add(1) == Some(version) {
            let to = version;
            let step = InboxStep { account, from, to };
            self.inbox.advance(&self.settings.name, &step).await?;
        }
        count(&self.stats.unknown);
        Ok(())
    }
}
