//! The consumer: handles each event of a queue, with its effect once.

mod call;
mod catch_up;
mod group;
mod handler;
mod restored;
mod settings;
mod stats;
mod steps;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared, join_all, select};
use wallet_core::messaging::{Inbox, MessageQueue, Received};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;

pub use handler::{Delivery, EventHandler, Handled, Missed};
pub(crate) use settings::HANDLER_WAIT;
pub use settings::{ConsumerSettings, Gaps, Start};
pub use stats::ConsumerStats;
pub(crate) use steps::{Failure, Steps};

use crate::delivery::HeldMessages;
use crate::setting::SettingError;

/// Hands each event of a queue to an [`EventHandler`], in order per account, so
/// that its effect happens once.
///
/// The [`Inbox`] stores up to which position each account's events were seen. A seen
/// event is skipped. The next event goes to the handler together with its
/// [`InboxStep`](wallet_core::messaging::InboxStep). A handler that records the step in
/// the transaction of its effect makes both happen or neither. If versions are missing
/// (an event was skipped, or the topic has no order), the consumer reads them from the
/// account's statement in the ledger and hands them over with the event.
///
/// Events report when the ledger's database went back to an earlier state. The consumer
/// notifies the handler first ([`EventHandler::restored`]) and skips lost events. The
/// first event of the new epoch on an account comes with what the ledger holds of it past
/// the time of the restore.
///
/// An event whose handler fails goes back to the queue, with those of its account behind
/// it, and is received again after a pause. After the maximum number of receives the
/// queue moves it to the dead letter queue (its redrive policy). Other accounts go on.
///
/// A handler in the process of the relay needs no queue: see
/// [`HandlerPublisher`](crate::HandlerPublisher).
///
/// The messages of one receive are deleted in one call, after the last of them was
/// handled. A consumer that crashes before that receives them again and skips those
/// already seen.
#[derive(Debug, Clone)]
pub struct Consumer {
    core: Arc<Core>,
}

#[derive(Debug)]
struct Core {
    queue: Arc<dyn MessageQueue>,
    clock: Arc<dyn Clock>,
    settings: ConsumerSettings,
    steps: Steps,
}

impl Consumer {
    /// A consumer of `queue`; `inbox` knows it by the name in its settings.
    ///
    /// # Errors
    /// [`SettingError`].
    pub fn new(
        queue: Arc<dyn MessageQueue>,
        inbox: Arc<dyn Inbox>,
        handler: Arc<dyn EventHandler>,
        clock: Arc<dyn Clock>,
        settings: ConsumerSettings,
    ) -> Result<Self, SettingError> {
        settings.validate()?;
        let name = settings.name.clone();
        let (wait, own) = (settings.handler_wait, Arc::clone(&clock));
        let steps = Steps::new(name, inbox, handler, None, own, wait);
        let core = Core {
            queue,
            clock,
            steps: steps.with(settings.start, settings.gaps),
            settings,
        };
        let core = Arc::new(core);
        Ok(Self { core })
    }

    /// The ledger to read missing versions from. Without a ledger an event behind a gap
    /// goes back to the queue until the missing events arrive.
    #[must_use]
    pub fn with_ledger(self, ledger: Arc<dyn LedgerStore>) -> Self {
        let Core {
            queue,
            clock,
            settings,
            steps,
        } = self.core.as_ref();
        let core = Core {
            queue: Arc::clone(queue),
            clock: Arc::clone(clock),
            settings: settings.clone(),
            steps: steps.with_ledger(ledger),
        };
        let core = Arc::new(core);
        Self { core }
    }

    /// Receives and handles until `stop` is ready; then finishes the messages in flight.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let stop: Shared<BoxFuture<'_, ()>> = stop.boxed().shared();
        let core = self.core.as_ref();
        let mut failures: u32 = 0;
        while stop.peek().is_none() {
            let settings = &core.settings;
            let receive = core.queue.receive(settings.batch, settings.visibility);
            let received = match select(receive, stop.clone()).await {
                Either::Left((received, _)) => received,
                // Messages received meanwhile return after their visibility timeout.
                Either::Right(_) => return,
            };
            match received {
                Ok(received) => {
                    failures = 0;
                    core.handle(received).await;
                }
                Err(error) => {
                    core.steps.stats.queue_failed(&error);
                    failures = failures.saturating_add(1);
                    let pause = core.clock.sleep(settings.retry.pause(failures));
                    select(pause, stop.clone()).await;
                }
            }
        }
    }

    /// The stats so far.
    #[must_use]
    pub fn stats(&self) -> ConsumerStats {
        self.core.steps.stats()
    }
}

impl Core {
    /// Handles each group in order and the groups concurrently. Deletes the completed
    /// messages together at the end.
    async fn handle(&self, received: Vec<Received>) {
        if received.is_empty() {
            return;
        }
        let hands = HeldMessages::new(&*self.queue, &*self.clock, self.settings.visibility);
        hands.take(0, &received);
        let mut groups: BTreeMap<String, Vec<(usize, Received)>> = BTreeMap::new();
        for (number, message) in received.into_iter().enumerate() {
            let group = groups.entry(message.message.group.clone()).or_default();
            group.push((number, message));
        }
        let work = async {
            let groups = groups.into_values().map(|group| self.group(group, &hands));
            let done: Vec<_> = join_all(groups).await.into_iter().flatten().collect();
            if let Err(failure) = self.steps.restored_by_others().await {
                // The messages return and are skipped.
                self.steps.stats.failed(&failure);
                return;
            }
            for deleted in hands.delete(&done).await {
                if let Err(error) = deleted {
                    // The message returns and is skipped.
                    self.steps.stats.queue_failed(&error);
                }
            }
        };
        hands.during(work).await;
    }
}
