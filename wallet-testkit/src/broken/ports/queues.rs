use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::planted_bugs;
use wallet_core::messaging::{
    EventPublisher, Message, MessageQueue, PublishError, Published, PublisherLimits, QueueError,
    Received,
};

planted_bugs! {
    /// A bug that a queue is planted with.
    QueueBug {
        /// Gives a later message of a group while an earlier one is in hand.
        GivesOutOfTurn,
        /// Ends what is given back.
        LosesWhatIsGivenBack,
        /// Takes an old receipt for the one of the moment.
        TakesOldReceipts,
        /// Says of no message that one is done.
        AnswersForNothing,
        /// Of a batch, ends the first and says that all are.
        EndsTheFirst,
        /// Of a batch, ends as many as one call takes and says that all are.
        EndsOneCall,
        /// Of a batch, says of all that they are ended.
        TakesFailedAsDone,
        /// Of a batch, ends none behind one that fails.
        StopsAtAFailure,
        /// Of a batch, answers for what was done first.
        AnswersByOutcome,
        /// Of a batch, answers for what was done only.
        LeavesOutFailures,
    }
}

/// What one call takes.
const CALL_MAX: usize = 10;

/// A FIFO queue in memory behind a bug; messages come back when they are given
/// back, never by themselves.
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

fn stale() -> QueueError {
    QueueError::new("the message is no longer in the caller's hands")
}

impl BrokenQueue {
    /// Nothing is in it.
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

    /// Where the message of a receipt stands.
    fn find(&self, held: &[Held], receipt: &str) -> Option<usize> {
        held.iter().position(|one| {
            let is_its = one.receipt() == receipt;
            let id = receipt.split('~').next();
            let is_old = self.has(QueueBug::TakesOldReceipts) && id == Some(&one.message.id);
            one.in_hand && (is_its || is_old)
        })
    }

    fn end(&self, receipt: &str) -> Result<(), QueueError> {
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

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, PublishError> {
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
    async fn receive(&self, limit: u32, _: Duration) -> Result<Vec<Received>, QueueError> {
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

    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), QueueError> {
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

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        self.end(receipt)
    }

    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), QueueError>> {
        let most = match self.bug {
            Some(QueueBug::AnswersForNothing) if receipts.is_empty() => return vec![Ok(())],
            Some(QueueBug::EndsTheFirst) => 1,
            Some(QueueBug::EndsOneCall) => CALL_MAX,
            _ => usize::MAX,
        };
        let mut ended: Vec<Result<(), QueueError>> = Vec::with_capacity(receipts.len());
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
