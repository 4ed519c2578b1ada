use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use tokio::sync::Notify;
use wallet_core::Timestamp;
use wallet_core::messaging::{
    DeliveryError, EventPublisher, Message, MessageQueue, Published, PublisherLimits, Received,
};
use wallet_core::runtime::Clock;

use super::state::State;
use crate::identity::fits;

/// The message limits of a FIFO queue on Amazon SQS.
const LIMITS: PublisherLimits = PublisherLimits {
    messages: 10,
    bytes: 1_048_576,
    keeps_order: false,
};
const WINDOW: Duration = Duration::from_secs(300);

/// A FIFO queue in memory with the rules of Amazon SQS:
///
/// - while a message of a group is in flight, no other receive gets a message of it; one
///   receive may return several of a group, in order;
/// - a message with an id that was sent within the last five minutes is accepted and
///   dropped, whether the first one was received and deleted or not;
/// - a message returns when its visibility timeout ends, and its old receipt is stale;
/// - with [dead letters](Self::with_dead_letters), a message that was received
///   often enough and came back goes to the other queue, where its id is not
///   compared.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use wallet_core::Timestamp;
/// use wallet_core::messaging::{EventPublisher, Message, MessageQueue};
/// use wallet_core::runtime::Clock;
/// use wallet_events::memory::MemoryQueue;
///
/// /// The time that a test says it is.
/// #[derive(Debug)]
/// struct Noon;
///
/// #[async_trait::async_trait]
/// impl Clock for Noon {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_micros(1_735_732_800_000_000)
///     }
///     async fn sleep(&self, _: Duration) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let queue = MemoryQueue::new(Arc::new(Noon));
/// let message = Message {
///     id: "0/alice/1".to_owned(),
///     group: "alice".to_owned(),
///     attributes: vec![("currency".to_owned(), "EUR".to_owned())],
///     body: "{}".to_owned(),
/// };
/// queue.publish(&[message.clone()]).await?;
/// queue.publish(&[message.clone()]).await?;
/// let received = queue.receive(10, Duration::from_secs(30)).await?;
/// assert_eq!(received.len(), 1);
/// assert_eq!(received[0].message, message);
/// queue.delete(&received[0].receipt).await?;
/// assert!(queue.messages().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Notifies waiting receives that a message may be available.
    changed: Notify,
    dead_letters: Option<(u32, Arc<MemoryQueue>)>,
    limits: PublisherLimits,
    window: Duration,
    wait: Duration,
}

impl MemoryQueue {
    /// An empty queue without dead letters. It accepts ten messages and 1 MiB a call,
    /// deduplicates for five minutes, and does not wait for messages.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            changed: Notify::new(),
            dead_letters: None,
            limits: LIMITS,
            window: WINDOW,
            wait: Duration::ZERO,
        }
    }

    /// The same with a dead letter queue for messages that were received `max_receives`
    /// times, at least once, and came back.
    #[must_use]
    pub fn with_dead_letters(mut self, max_receives: u32, queue: Arc<MemoryQueue>) -> Self {
        self.dead_letters = Some((max_receives.max(1), queue));
        self
    }

    /// The same with other limits of a call.
    #[must_use]
    pub const fn with_limits(mut self, limits: PublisherLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with another deduplication time.
    #[must_use]
    pub const fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The same with a long polling time.
    #[must_use]
    pub const fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// All messages, oldest first, in flight or not.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.state().messages()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes messages; returns the result of each.
    fn end<'a>(
        &self,
        receipts: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Result<(), DeliveryError>> {
        let now = self.clock.now();
        let (ended, is_empty) = {
            let mut state = self.state();
            let ended = receipts.into_iter().map(|receipt| {
                let is_ended = state.delete(now, receipt);
                is_ended.then_some(()).ok_or_else(stale)
            });
            (ended.collect(), state.is_empty())
        };
        if !is_empty {
            // The other messages of their groups may be received now.
            self.changed.notify_waiters();
        }
        ended
    }

    fn take(&self, limit: u32, visibility: Duration) -> (Vec<Received>, Option<Timestamp>) {
        let now = self.clock.now();
        let until = now.saturating_add(visibility);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let dead_letters = self.dead_letters.as_ref();
        let most = dead_letters.map_or(u32::MAX, |(most, _)| *most);
        let (received, dead, next) = {
            let mut state = self.state();
            let (received, dead) = state.receive(now, limit, until, most);
            (received, dead, state.next_return(now))
        };
        if let Some((_, queue)) = dead_letters {
            for message in dead {
                queue.state().put(message);
            }
            queue.changed.notify_waiters();
        }
        (received, next)
    }
}

#[async_trait]
impl EventPublisher for MemoryQueue {
    fn limits(&self) -> PublisherLimits {
        self.limits
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let bytes = messages.iter().map(Message::bytes);
        let bytes = bytes.fold(0, usize::saturating_add);
        let several = messages.len() > 1;
        if messages.len() > self.limits.messages || (several && bytes > self.limits.bytes) {
            return Err(DeliveryError::new("more than a call takes"));
        }
        let now = self.clock.now();
        let mut state = self.state();
        state.forget(now, self.window);
        let mut stopped: BTreeSet<&str> = BTreeSet::new();
        let mut published = Vec::with_capacity(messages.len());
        for message in messages {
            published.push(if message.bytes() > self.limits.bytes || !fits(message) {
                stopped.insert(&message.group);
                let reason = "larger than a message may be".to_owned();
                Published::Refused { reason }
            } else if self.limits.keeps_order && stopped.contains(message.group.as_str()) {
                let reason = "behind one that was refused".to_owned();
                Published::Failed { reason }
            } else {
                state.send(now, message);
                Published::Done
            });
        }
        drop(state);
        self.changed.notify_waiters();
        Ok(published)
    }
}

#[async_trait]
impl MessageQueue for MemoryQueue {
    async fn receive(
        &self,
        limit: u32,
        visibility: Duration,
    ) -> Result<Vec<Received>, DeliveryError> {
        // A sleep, not a time: the clock may step back.
        let mut end = self.clock.sleep(self.wait);
        let mut is_over = self.wait.is_zero();
        loop {
            // Registered before the check, so that no change in between is missed.
            let changed = pin!(self.changed.notified());
            let (received, next) = self.take(limit, visibility);
            if !received.is_empty() || is_over {
                return Ok(received);
            }
            let now = self.clock.now();
            let pause = next.map_or(self.wait, |next| next.since(now));
            let pause = select(changed, self.clock.sleep(pause));
            is_over = matches!(select(&mut end, pause).await, Either::Left(_));
        }
    }

    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), DeliveryError> {
        let now = self.clock.now();
        let until = now.saturating_add(visibility);
        let extended = self.state().extend(now, receipt, until);
        self.changed.notify_waiters();
        if extended { Ok(()) } else { Err(stale()) }
    }

    async fn delete(&self, receipt: &str) -> Result<(), DeliveryError> {
        let mut deleted = self.end([receipt]);
        deleted.pop().unwrap_or_else(|| Err(stale()))
    }

    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>> {
        self.end(receipts.iter().map(String::as_str))
    }
}

fn stale() -> DeliveryError {
    DeliveryError::new("the message is no longer in the caller's hands")
}
