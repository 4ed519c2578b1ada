//! A handler in the process of the relay.

mod attempts;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use wallet_core::messaging::{
    DeliveryError, EventPublisher, Inbox, Message, Published, PublisherLimits,
};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;

pub use settings::HandlerSettings;

use crate::consumer::{ConsumerStats, EventHandler, Failure, Steps};
use crate::setting::SettingError;
use attempts::Attempts;

/// The most events of one call. The relay marks them when the last of them is handled.
const MESSAGES: usize = 10;

/// Hands the events of a [`Relay`](crate::Relay) to an [`EventHandler`] in the same
/// process, without a queue, so that each event's effect happens once.
///
/// An event counts as published when its step is recorded in the [`Inbox`], now or before.
/// The relay marks an event only then. So an event that a crash cuts off, at any point, is
/// handed over again after the restart, without a further event of its account; if its
/// step was committed, it is skipped.
/// A handler that records the step in the transaction of its effect makes both happen or
/// neither ([`EventHandler::handle`]).
///
/// - The events of an account are handled in order, one after the other; accounts are
///   handled concurrently.
/// - If the handler fails, the relay tries the event again after a pause
///   ([`RelaySettings::retry`](crate::RelaySettings::retry)). Later events of the account
///   wait; other accounts continue.
/// - After [`attempts_max`](HandlerSettings::attempts_max) failures of the handler the
///   event is refused, and the relay parks it. An event that cannot be read is parked at
///   once. A failure of the inbox or of the ledger is no failed attempt: during an outage
///   nothing is parked.
/// - If versions are missing, because a parked event was skipped or the outbox was purged
///   before the handler existed, they are read from the ledger
///   ([`Delivery::missed`](crate::Delivery::missed)).
///
/// The handler runs in the task of the relay. If it waits for longer than
/// [`handler_wait`](HandlerSettings::handler_wait), its call is dropped and has failed. A
/// handler that blocks the thread is not interrupted: meanwhile the relay does nothing
/// else. If that takes longer than the relay's [`lease`](crate::RelaySettings::lease),
/// another relay may take over. Effects still happen once.
///
/// For several handlers, or a handler and a queue, use a [`Tee`](crate::Tee).
///
/// ```
/// use std::sync::Arc;
///
/// use tokio::sync::Notify;
/// use wallet_core::memory::{MemoryInbox, MemoryStore};
/// use wallet_core::messaging::DeliveryError;
/// use wallet_core::prelude::*;
/// use wallet_core::store::CommitSignal;
/// use wallet_core::SystemClock;
/// use wallet_events::{
///     Delivery, EventHandler, Handled, HandlerPublisher, HandlerSettings, Relay, RelaySettings,
/// };
///
/// /// Greets the owner of each new account.
/// #[derive(Debug)]
/// struct Greeter(Arc<Notify>);
///
/// #[async_trait::async_trait]
/// impl EventHandler for Greeter {
///     async fn handle(&self, delivery: &Delivery) -> Result<Handled, DeliveryError> {
///         println!("hello, {}", delivery.event.owner);
///         self.0.notify_one();
///         Ok(Handled::Unrecorded)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (books, signal) = (Arc::new(MemoryStore::new(Arc::new(SystemClock))), CommitSignal::default());
/// let wallet = Wallet::builder(books.clone()).signal(signal.clone()).spawn()?;
/// let greeted = Arc::new(Notify::new());
///
/// let greeter = Arc::new(Greeter(greeted.clone()));
/// let settings = HandlerSettings::new("greeter");
/// let inbox = Arc::new(MemoryInbox::new());
/// let clock = Arc::new(SystemClock);
/// let handler = HandlerPublisher::new(inbox, greeter, books.clone(), clock.clone(), settings)?;
/// let handler = Arc::new(handler);
/// let settings = RelaySettings::new("relay-1");
/// let relay = Relay::builder(books.clone(), books, handler.clone(), clock, settings);
/// let relay = relay.signal(signal).build()?;
///
/// wallet.ensure_account(OpenAccount::new("ada".parse()?, Currency::iso("EUR")?)).await?;
/// relay.run(async { greeted.notified().await }).await;
/// assert_eq!(handler.stats().handled, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HandlerPublisher {
    steps: Steps,
    attempts_max: Option<u32>,
    attempts: Attempts,
}

impl HandlerPublisher {
    /// A publisher to `handler`; `inbox` knows the handler by the name in its settings. What
    /// is missing is read from `ledger`. `clock` limits how long the handler may take.
    ///
    /// # Errors
    /// [`SettingError`].
    pub fn new(
        inbox: Arc<dyn Inbox>,
        handler: Arc<dyn EventHandler>,
        ledger: Arc<dyn LedgerStore>,
        clock: Arc<dyn Clock>,
        settings: HandlerSettings,
    ) -> Result<Self, SettingError> {
        settings.validate()?;
        let (name, wait) = (settings.name, settings.handler_wait);
        let steps = Steps::new(name, inbox, handler, Some(ledger), clock, wait);
        Ok(Self {
            steps: steps.with(settings.start, settings.gaps),
            attempts_max: settings.attempts_max,
            attempts: Attempts::default(),
        })
    }

    /// The stats so far.
    #[must_use]
    pub fn stats(&self) -> ConsumerStats {
        self.steps.stats()
    }

    /// Handles the messages of one group in order, up to the first failure.
    async fn group(&self, messages: Vec<(usize, &Message)>) -> Vec<(usize, Published)> {
        let mut published = Vec::with_capacity(messages.len());
        let mut is_stopped = false;
        for (number, message) in messages {
            let one = if is_stopped {
                failed("an earlier event of the account failed")
            } else {
                self.one(message).await
            };
            is_stopped |= one != Published::Done;
            published.push((number, one));
        }
        published
    }

    async fn one(&self, message: &Message) -> Published {
        let group = &message.group;
        let Err(failure) = self.steps.message(&message.body).await else {
            self.attempts.forget(group);
            return Published::Done;
        };
        let reason = words(&failure);
        let is_final = match failure {
            Failure::Unreadable(_) => true,
            Failure::Handler(_) | Failure::NotMoved => {
                let times = self.attempts.failed(group, message.event_id());
                self.attempts_max.is_some_and(|most| times >= most)
            }
            Failure::Store(_) | Failure::Restored(_) | Failure::Gap => false,
        };
        if is_final {
            return Published::Refused { reason };
        }
        Published::Failed { reason }
    }
}

#[async_trait]
impl EventPublisher for HandlerPublisher {
    fn limits(&self) -> PublisherLimits {
        PublisherLimits {
            messages: MESSAGES,
            bytes: usize::MAX,
            keeps_order: true,
        }
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let mut groups: BTreeMap<&str, Vec<(usize, &Message)>> = BTreeMap::new();
        for (number, message) in messages.iter().enumerate() {
            let group = groups.entry(&message.group).or_default();
            group.push((number, message));
        }
        let groups = groups.into_values().map(|group| self.group(group));
        let mut published: Vec<_> = join_all(groups).await.into_iter().flatten().collect();
        published.sort_unstable_by_key(|(number, _)| *number);
        // Another process of this handler may have discarded what a restore has lost.
        let restored = self.steps.restored_by_others().await;
        restored
            .map_err(|failure| DeliveryError::new("looking for restores").with_source(failure))?;
        let published: Vec<_> = published.into_iter().map(|(_, one)| one).collect();
        for (message, one) in messages.iter().zip(&published) {
            if matches!(one, Published::Refused { .. }) {
                self.attempts.forget(&message.group);
            }
        }
        Ok(published)
    }
}

fn failed(reason: &str) -> Published {
    let reason = reason.to_owned();
    Published::Failed { reason }
}

/// A failure with its cause.
fn words(failure: &Failure) -> String {
    match std::error::Error::source(failure) {
        Some(source) => format!("{failure}: {source}"),
        None => failure.to_string(),
    }
}
