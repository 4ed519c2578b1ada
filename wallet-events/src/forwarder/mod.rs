//! The forwarder: publishes the messages of a queue to a topic.

mod settings;
mod stats;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, FusedFuture, Shared, join_all, select};
use wallet_core::messaging::{EventPublisher, Message, MessageQueue, Published, Received};
use wallet_core::runtime::Clock;

pub use settings::ForwarderSettings;
use stats::Counters;
pub use stats::ForwarderStats;

use crate::delivery::{Fate, HeldMessages, Plan};

/// The most messages of one receive call.
const RECEIVE: u32 = 10;

/// Forwards messages from a queue to a topic: Amazon SQS does not push to Amazon
/// SNS by itself.
///
/// - **At least once.** A message is deleted after it was published. Between the
///   two a crash repeats it; a FIFO topic leaves out what comes again within
///   five minutes, consumers recognise it by its id whenever it comes.
/// - **In order per group.** A later message of a group is published after the
///   earlier ones of it were. When one is not, those behind it that came in the
///   same receive go back with it.
/// - **Failed messages** go back to the queue with a growing pause. After as many
///   receives as the queue's redrive policy allows, the queue moves them to its dead
///   letter queue. A message that the topic refuses for good takes the same way; only the
///   stats count the two separately. Until then its group is blocked. Later messages of
///   the same receives have been received as often, and follow it to the dead letter
///   queue: [`Redrive`](crate::Redrive) returns them in order. Later messages of the
///   group that were not received meanwhile are then published first. Consumers detect
///   the gap by the version.
/// - **While the topic is away** messages are held and their visibility is
///   extended, so that no receive counts against them:
///   [`patience`](ForwarderSettings::patience).
///
/// ```no_run
/// use std::sync::Arc;
///
/// use wallet_core::messaging::{EventPublisher, MessageQueue};
/// use wallet_core::runtime::Clock;
/// use wallet_events::Forwarder;
///
/// # async fn example(
/// #     queue: Arc<dyn MessageQueue>,
/// #     topic: Arc<dyn EventPublisher>,
/// #     clock: Arc<dyn Clock>,
/// #     shutdown: impl Future<Output = ()>,
/// # ) {
/// let forwarder = Forwarder::new(queue, topic, clock);
/// forwarder.run(shutdown).await;
/// println!("{} forwarded", forwarder.stats().forwarded);
/// # }
/// ```
pub struct Forwarder {
    queue: Arc<dyn MessageQueue>,
    topic: Arc<dyn EventPublisher>,
    clock: Arc<dyn Clock>,
    settings: ForwarderSettings,
    counters: Counters,
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Forwarder")
            .field("queue", &self.queue)
            .field("topic", &self.topic)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Forwarder {
    /// Forwards from `queue` to `topic` with the default settings.
    #[must_use]
    pub fn new(
        queue: Arc<dyn MessageQueue>,
        topic: Arc<dyn EventPublisher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            queue,
            topic,
            clock,
            settings: ForwarderSettings::default(),
            counters: Counters::default(),
        }
    }

    /// The same with other settings.
    #[must_use]
    pub const fn with_settings(mut self, settings: ForwarderSettings) -> Self {
        self.settings = settings;
        self
    }

    /// The stats so far; readable while the forwarder runs.
    #[must_use]
    pub fn stats(&self) -> ForwarderStats {
        self.counters.read()
    }

    /// Forwards until `stop` is ready, then finishes what it holds: publishes and
    /// deletes it, or gives it back. Does not wait for a topic that is away then.
    ///
    /// A receive that waits when `stop` becomes ready is given up; should the
    /// queue have handed out a message at that moment, it comes again when its
    /// visibility ends. Errors are counted in the [`stats`](Self::stats) and
    /// never end it.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let stop = stop.shared();
        let workers = 0..self.settings.workers.max(1);
        join_all(workers.map(|_| self.work(stop.clone()))).await;
    }

    /// Receives once and forwards the messages; returns the number of messages. For hosts
    /// with their own loop and for simulations.
    pub async fn step(&self) -> usize {
        self.receive_and_carry(std::future::pending()).await
    }

    async fn work<S: Future<Output = ()>>(&self, stop: Shared<S>) {
        loop {
            if self.receive_and_carry(stop.clone()).await == 0 && self.pause(&stop).await {
                return;
            }
        }
    }

    /// Pauses after an empty receive; returns true when the forwarder must stop.
    async fn pause<S: Future<Output = ()>>(&self, stop: &Shared<S>) -> bool {
        let sleep = self.clock.sleep(self.settings.idle_pause);
        matches!(select(stop.clone(), sleep).await, Either::Left(_))
    }

    async fn receive_and_carry(&self, stop: impl Future<Output = ()>) -> usize {
        let mut stop = pin!(stop);
        let receive = self.queue.receive(RECEIVE, self.settings.visibility);
        // The stop is checked first, so that it also ends a busy worker.
        let received = match select(stop.as_mut(), receive).await {
            Either::Left(_) => return 0,
            Either::Right((received, _)) => received,
        };
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                let counter = &self.counters.receive_errors;
                self.counters.wrong(counter, error_chain(&error));
                // The pause is as long as after a failed message: an unavailable queue is
                // not called ten times a second.
                let sleep = self.clock.sleep(self.settings.retry.first);
                select(stop, sleep).await;
                return 0;
            }
        };
        if !received.is_empty() {
            self.carry(&received, stop).await;
        }
        received.len()
    }

    async fn carry(&self, received: &[Received], stop: impl Future<Output = ()>) {
        let visibility = self.settings.visibility;
        let hands = HeldMessages::new(&*self.queue, &*self.clock, visibility);
        hands.take(0, received);
        let messages = received.iter().map(|received| received.message.clone());
        let mut plan = Plan::new(messages.collect(), self.topic.limits());
        hands.during(self.publish(&mut plan, &hands, stop)).await;
        let fates: Vec<_> = plan.fates().map(|(_, _, fate)| fate.cloned()).collect();
        self.count(&fates);
        hands
            .give_back(|number| match (fates.get(number), received.get(number)) {
                (Some(Some(Fate::Failed(_) | Fate::Refused(_))), Some(received)) => {
                    self.settings.retry.pause(received.receives)
                }
                _ => Duration::ZERO,
            })
            .await;
    }

    /// Publishes in as many calls as needed and deletes the published messages.
    async fn publish(
        &self,
        plan: &mut Plan,
        hands: &HeldMessages<'_>,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = pin!(stop.fuse());
        loop {
            let (numbers, messages): (Vec<_>, Vec<_>) = plan.next_call().into_iter().unzip();
            if messages.is_empty() {
                return;
            }
            let published = self.patiently(&messages, stop.as_mut()).await;
            let mut done = Vec::new();
            for (number, published) in numbers.into_iter().zip(published) {
                if published == Published::Done {
                    done.push(number);
                }
                plan.settle(number, published.into());
            }
            for deleted in hands.delete(&done).await {
                self.counters.forwarded.add(1);
                if let Err(error) = deleted {
                    let counter = &self.counters.undeleted;
                    self.counters.wrong(counter, error_chain(&error));
                }
            }
        }
    }

    /// Publishes and retries while the call fails as a whole; after the patience all
    /// messages count as failed. `stop` ends the patience, but not a call in flight.
    async fn patiently(
        &self,
        messages: &[Message],
        mut stop: impl FusedFuture<Output = ()> + Unpin,
    ) -> Vec<Published> {
        let began = self.clock.now();
        let mut tries = 0_u32;
        loop {
            let error = match self.topic.publish(messages).await {
                Ok(published) => return published,
                Err(error) => error_chain(&error),
            };
            let counter = &self.counters.publish_errors;
            self.counters.wrong(counter, error.clone());
            tries = tries.saturating_add(1);
            let waited = self.clock.now().since(began);
            let is_over = waited >= self.settings.patience || stop.is_terminated();
            let sleep = self.clock.sleep(self.settings.retry.pause(tries));
            if is_over || matches!(select(&mut stop, sleep).await, Either::Left(_)) {
                let failed = Published::Failed { reason: error };
                return vec![failed; messages.len()];
            }
        }
    }

    fn count(&self, fates: &[Option<Fate>]) {
        for fate in fates {
            match fate {
                Some(Fate::Done) => {}
                Some(Fate::Failed(reason)) => {
                    self.counters.wrong(&self.counters.failed, reason.clone());
                }
                Some(Fate::Refused(reason)) => {
                    self.counters.wrong(&self.counters.refused, reason.clone());
                }
                None => self.counters.held_back.add(1),
            }
        }
    }
}

/// The text of an error and of its whole source chain.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
