use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::planted_bugs;
use wallet_core::messaging::{
    DeliveryError, EventPublisher, Message, MessageQueue, Published, PublisherLimits, Received,
};

planted_bugs! {
    /// A bug that is planted in a queue.
    QueueBug {
        /// Delivers a later message of a group while a receiver holds an earlier one.
        GivesOutOfTurn,
        /// Deletes a message that is given back.
        LosesWhatIsGivenBack,
        /// Accepts an old receipt as the current one.
        TakesOldReceipts,
        /// Returns a result for an empty batch.
        AnswersForNothing,
        /// Deletes only the first message of a batch, and reports all as deleted.
        EndsTheFirst,
        /// Deletes only as many messages of a batch as one call takes, and reports all as
        /// deleted.
        EndsOneCall,
        /// Reports all messages of a batch as deleted.
        TakesFailedAsDone,
        /// Stops a batch at the first failure.
        StopsAtAFailure,
        /// Returns the successes of a batch first.
        AnswersByOutcome,
        /// Returns only the successes of a batch.
        LeavesOutFailures,
    }
}

/// The greatest number of messages in one call.
const CALL_MAX: usize = 10;

/// A FIFO queue in memory with a bug. Messages are delivered again only when they
/// are given back.
#[derive(Debug)]
pub struct BrokenQueue {
    bug: Option<QueueBug>,
    held: Mutex<Vec<Held>>,
}

#[derive(Debug)]
struct Held {
    message: Message,
    receives: u32,
    in_hand: bool,
}

impl Held {
    fn receipt(&self) -> String {
        format!("{}~{}", self.message.id, self.receives)
    }
}

fn stale() -> DeliveryError {
    DeliveryError::new("the message is no longer in the caller's hands")
}

impl BrokenQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(bug: Option<QueueBug>) -> Self {
        let held = Mutex::default();
        Self { bug, held }
    }

    fn has(&self, bug: QueueBug) -> bool {
        self.bug == Some(bug)
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position of a receipt's message.
    fn find(&self, held: &[Held], receipt: &str) -> Option<usize> {
        held.iter().position(|one| {
            let is_its = one.receipt() == receipt;
            let id = receipt.split('~').next();
            let is_old = self.has(QueueBug::TakesOldReceipts) && id == Some(&one.message.id);
            one.in_hand && (is_its || is_old)
        })
    }

    fn end(&self, receipt: &str) -> Result<(), DeliveryError> {
        let mut held = self.held();
        let place = self.find(&held, receipt).ok_or_else(stale)?;
        held.remove(place);
        Ok(())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl EventPublisher for BrokenQueue {
    fn limits(&self) -> PublisherLimits {
        PublisherLimits {
            messages: CALL_MAX,
            bytes: 1_048_576,
            keeps_order: true,
        }
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let held = messages.iter().map(|message| Held {
            message: message.clone(),
            receives: 0,
            in_hand: false,
        });
        self.held().extend(held);
        Ok(messages.iter().map(|_| Published::Done).collect())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MessageQueue for BrokenQueue {
    async fn receive(&self, limit: u32, _: Duration) -> Result<Vec<Received>, DeliveryError> {
        let mut held = self.held();
        let busy = held.iter().filter(|one| one.in_hand);
        let busy: Vec<_> = busy.map(|one| one.message.group.clone()).collect();
        let is_free = |one: &&mut Held| {
            let is_busy = busy.contains(&one.message.group);
            !one.in_hand && (!is_busy || self.has(QueueBug::GivesOutOfTurn))
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(CALL_MAX);
        let free = held.iter_mut().filter(is_free).take(limit);
        let received = free.map(|one| {
            one.in_hand = true;
            one.receives += 1;
            Received {
                message: one.message.clone(),
                receipt: one.receipt(),
                receives: one.receives,
            }
        });
        Ok(received.collect())
    }

    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), DeliveryError> {
        let mut held = self.held();
        let place = self.find(&held, receipt).ok_or_else(stale)?;
        if visibility.is_zero() {
            held[place].in_hand = false;
            if self.has(QueueBug::LosesWhatIsGivenBack) {
                held.remove(place);
            }
        }
        Ok(())
    }

    async fn delete(&self, receipt: &str) -> Result<(), DeliveryError> {
        self.end(receipt)
    }

    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>> {
        let most = match self.bug {
            Some(QueueBug::AnswersForNothing) if receipts.is_empty() => return vec![Ok(())],
            Some(QueueBug::EndsTheFirst) => 1,
            Some(QueueBug::EndsOneCall) => CALL_MAX,
            _ => usize::MAX,
        };
        let mut ended: Vec<Result<(), DeliveryError>> = Vec::with_capacity(receipts.len());
        for (number, receipt) in receipts.iter().enumerate() {
            let has_failed = ended.iter().any(Result::is_err);
            ended.push(if number >= most {
                Ok(())
            } else if has_failed && self.has(QueueBug::StopsAtAFailure) {
                Err(stale())
            } else {
                self.end(receipt)
            });
        }
        match self.bug {
            Some(QueueBug::TakesFailedAsDone) => ended.iter_mut().for_each(|one| *one = Ok(())),
            Some(QueueBug::AnswersByOutcome) => ended.sort_by_key(Result::is_err),
            Some(QueueBug::LeavesOutFailures) => ended.retain(Result::is_ok),
            _ => {}
        }
        ended
    }
}
