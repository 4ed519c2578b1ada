//! The redrive: moves dead letters back to a queue.

mod report;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::messaging::{
    DeliveryError, EventPublisher, Message, MessageQueue, Published, Received,
};
use wallet_core::runtime::Clock;

pub use report::{RedriveError, RedriveFate, RedriveReport, RedriveStep};

use crate::delivery::{Fate, HeldMessages, Plan};
use crate::identity::redelivered;

/// The most messages of one receive call.
const RECEIVE: u32 = 10;
/// The number of attempts of a call that fails as a whole.
const TRIES: u32 = 4;
/// The length of the prefix that a new id takes from a message's id, in characters. With
/// the rest it stays below the 128 characters that services accept.
const ID_PREFIX: usize = 80;

/// Moves messages from a dead letter queue back to a queue, oldest first.
///
/// **Order.** Messages of a group go back in the order in which they lie in the dead
/// letter queue. Once a message cannot be published, those behind it stay. The redrive
/// cannot restore the original order: while a message was a dead letter, later messages
/// of its group were delivered, and it now comes after them. Consumers that need order
/// per account use the version in the event.
///
/// **Deduplication.** For five minutes after a message was sent, a FIFO queue
/// acknowledges another one under the same id and drops it, even if the first one is
/// deleted. A message sent back under its own id within that time would be lost. The
/// redrive therefore sends it under a new id, made of its own id and of the run's time
/// and count. Its own id travels as the attribute [`EVENT_ID`](crate::EVENT_ID), which
/// receivers see as the message id. Repeated calls of one run use the same new id. A run
/// that crashes between the send and the delete leaves the message in both queues. The
/// next run sends it once more, and consumers recognise it by its own id.
///
/// **End.** A run ends at the first empty receive. A receiver from Amazon SQS should use
/// long polling of a second or more, because without it the service may miss messages.
///
/// Do not run two redrives at a time on one dead letter queue, nor one beside a consumer
/// of it: no message is lost, but the order within a group is.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use wallet_core::messaging::{EventPublisher, MessageQueue};
/// use wallet_core::runtime::Clock;
/// use wallet_events::Redrive;
///
/// # async fn example(
/// #     dead_letters: Arc<dyn MessageQueue>,
/// #     queue: Arc<dyn EventPublisher>,
/// #     clock: Arc<dyn Clock>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let redrive = Redrive::new(dead_letters, queue, clock).with_limit(1_000);
/// for received in redrive.list().await? {
///     println!("would move {}", received.message.id);
/// }
/// let report = redrive.run(|step| println!("{}: {:?}", step.message.id, step.fate)).await?;
/// println!("{} moved", report.moved);
/// # Ok(())
/// # }
/// ```
pub struct Redrive {
    from: Arc<dyn MessageQueue>,
    to: Arc<dyn EventPublisher>,
    clock: Arc<dyn Clock>,
    limit: usize,
    visibility: Duration,
}

impl fmt::Debug for Redrive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Redrive")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("limit", &self.limit)
            .field("visibility", &self.visibility)
            .finish_non_exhaustive()
    }
}

impl Redrive {
    /// A redrive from a dead letter queue to a queue, without a limit.
    #[must_use]
    pub fn new(
        from: Arc<dyn MessageQueue>,
        to: Arc<dyn EventPublisher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            from,
            to,
            clock,
            limit: usize::MAX,
            visibility: Duration::from_secs(60),
        }
    }

    /// The same for at most this many messages.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The same with another visibility timeout than one minute. It is extended at every
    /// third of it. After a crash the messages in flight are out of reach for this long.
    #[must_use]
    pub const fn with_visibility(mut self, visibility: Duration) -> Self {
        self.visibility = visibility;
        self
    }

    /// A dry run: lists the messages that [`run`](Self::run) would move, oldest first.
    ///
    /// It receives the messages and gives them back at the end. Their receive counts
    /// rise, and no other receiver gets them meanwhile. A queue returns at most ten
    /// messages of a group at a time: of a larger group only these are listed.
    ///
    /// # Errors
    /// [`RedriveError::Receive`].
    pub async fn list(&self) -> Result<Vec<Received>, RedriveError> {
        let hands = self.hands();
        let listed = hands.during(self.receive_all(&hands)).await;
        hands.give_back(|_| Duration::ZERO).await;
        listed
    }

    /// Moves messages until the dead-letter queue gives no more or the limit is reached.
    /// Reports the result of each message to `progress`.
    ///
    /// Messages that could not be moved are out of reach until the end of the run, and
    /// are then given back.
    ///
    /// # Errors
    /// [`RedriveError`]; the progress reported so far stands.
    pub async fn run(
        &self,
        progress: impl FnMut(RedriveStep<'_>) + Send,
    ) -> Result<RedriveReport, RedriveError> {
        let hands = self.hands();
        let moved = hands.during(self.move_all(&hands, progress)).await;
        hands.give_back(|_| Duration::ZERO).await;
        moved
    }

    fn hands(&self) -> HeldMessages<'_> {
        HeldMessages::new(&*self.from, &*self.clock, self.visibility)
    }

    async fn receive_all(&self, hands: &HeldMessages<'_>) -> Result<Vec<Received>, RedriveError> {
        let mut all = Vec::new();
        loop {
            let received = self.receive(hands, all.len()).await?;
            if received.is_empty() {
                return Ok(all);
            }
            all.extend(received);
        }
    }

    async fn move_all(
        &self,
        hands: &HeldMessages<'_>,
        mut progress: impl FnMut(RedriveStep<'_>) + Send,
    ) -> Result<RedriveReport, RedriveError> {
        let run = self.clock.now().as_micros();
        let mut report = RedriveReport::default();
        let mut taken = 0_usize;
        loop {
            let received = self.receive(hands, taken).await?;
            if received.is_empty() {
                return Ok(report);
            }
            let fates = self.move_some(hands, &received, run, taken).await;
            taken = taken.saturating_add(received.len());
            let (fates, error) = fates;
            for (received, fate) in received.iter().zip(&fates) {
                report.count(fate);
                let message = &received.message;
                progress(RedriveStep { message, fate });
            }
            if let Some(error) = error {
                return Err(RedriveError::Publish(error));
            }
        }
    }

    /// The next messages, added to `hands`; none when there are no more or `taken` has
    /// reached the limit.
    async fn receive(
        &self,
        hands: &HeldMessages<'_>,
        taken: usize,
    ) -> Result<Vec<Received>, RedriveError> {
        let left = self.limit.saturating_sub(taken);
        let limit = u32::try_from(left).map_or(RECEIVE, |left| left.min(RECEIVE));
        if limit == 0 {
            return Ok(Vec::new());
        }
        let received = self.from.receive(limit, self.visibility).await;
        let received = received.map_err(RedriveError::Receive)?;
        hands.take(taken, &received);
        Ok(received)
    }

    /// Moves received messages, numbered from `first` on. Returns the result of each, and
    /// the error that ended the run.
    async fn move_some(
        &self,
        hands: &HeldMessages<'_>,
        received: &[Received],
        run: i64,
        first: usize,
    ) -> (Vec<RedriveFate>, Option<DeliveryError>) {
        let messages = received.iter().zip(first..).map(|(received, number)| {
            let message = &received.message;
            redelivered(message, new_id(&message.id, run, number))
        });
        let mut plan = Plan::new(messages.collect(), self.to.limits());
        let (mut undeleted, mut ended) = (BTreeMap::new(), None);
        while ended.is_none() {
            let (numbers, messages): (Vec<_>, Vec<_>) = plan.next_call().into_iter().unzip();
            if messages.is_empty() {
                break;
            }
            let published = match self.publish(&messages).await {
                Ok(published) => published,
                Err(error) => {
                    let reason = error.to_string();
                    ended = Some(error);
                    vec![Published::Failed { reason }; messages.len()]
                }
            };
            let mut done = Vec::new();
            for (number, published) in numbers.into_iter().zip(published) {
                if published == Published::Done {
                    done.push(number);
                }
                plan.settle(number, published.into());
            }
            let held: Vec<_> = done.iter().map(|n| n.saturating_add(first)).collect();
            for (number, deleted) in done.into_iter().zip(hands.delete(&held).await) {
                if let Err(error) = deleted {
                    undeleted.insert(number, error.to_string());
                }
            }
        }
        let fates = plan.fates().map(|(number, _, fate)| match fate {
            Some(Fate::Done) => undeleted
                .remove(&number)
                .map_or(RedriveFate::Moved, |reason| RedriveFate::Undeleted {
                    reason,
                }),
            Some(Fate::Failed(reason)) => RedriveFate::Failed {
                reason: reason.clone(),
            },
            Some(Fate::Refused(reason)) => RedriveFate::Refused {
                reason: reason.clone(),
            },
            None => RedriveFate::Behind,
        });
        (fates.collect(), ended)
    }

    /// Publishes; retries after a pause while the call fails as a whole.
    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let mut tries = 1_u32;
        loop {
            match self.to.publish(messages).await {
                Ok(published) => return Ok(published),
                Err(error) if tries >= TRIES => return Err(error),
                Err(_) => {
                    self.clock.sleep(Duration::from_secs(tries.into())).await;
                    tries = tries.saturating_add(1);
                }
            }
        }
    }
}

/// An id that is new to every queue. The run and the number make it unique within a run
/// and across runs.
fn new_id(id: &str, run: i64, number: usize) -> String {
    let prefix: String = id.chars().take(ID_PREFIX).collect();
    format!("{prefix}~{run}-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_short_enough_and_differs_by_run_and_number() {
        let long = "x".repeat(128);
        assert!(new_id(&long, i64::MAX, usize::MAX).len() <= 128);
        let ids = [new_id("a", 1, 0), new_id("a", 1, 1), new_id("a", 2, 0)];
        assert_eq!(ids, ["a~1-0", "a~1-1", "a~2-0"]);
    }
}
