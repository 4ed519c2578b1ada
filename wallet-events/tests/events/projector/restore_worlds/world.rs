//! A world: books, what brings their events to a history, and what happens to both.

use std::sync::Arc;
use std::time::Duration;

use wallet_core::history::HistoryQuery;
use wallet_core::ledger::{AccountKey, RaisedBy};
use wallet_core::memory::{MemoryInbox, MemoryStore, Tables};
use wallet_core::messaging::{EventPublisher, MessageQueue};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::{Timestamp, Wallet};
use wallet_events::memory::MemoryQueue;
use wallet_events::{Consumer, ConsumerSettings, Projector};

use super::buggy::{Bug, Buggy};
use crate::kit::{Running, TestClock, spawn};
use crate::projector::far::Far;
use crate::projector::place::Place;

/// The source of the events.
pub(super) enum Way {
    /// The outbox.
    Relay(Option<Running>),
    /// A queue, read by two processes of one consumer.
    Queue {
        queue: Arc<MemoryQueue>,
        inbox: Arc<MemoryInbox>,
        relay: Option<Running>,
        consumers: [tokio::task::JoinHandle<()>; 2],
    },
}

pub(super) struct World {
    pub(super) place: Place,
    pub(super) bug: Option<Bug>,
    pub(super) rng: fastrand::Rng,
    pub(super) started: u32,
}

impl World {
    pub(super) fn history(&self) -> Arc<Buggy> {
        Arc::new(Buggy {
            bug: self.bug,
            far: Far::new(self.place.history.clone(), 3),
            ledger: Arc::clone(&self.place.world.store),
        })
    }

    fn projector(&self) -> Arc<Projector> {
        Arc::new(Projector::new(self.history(), self.place.ledger()))
    }

    fn relay(&mut self, publisher: Arc<dyn EventPublisher>) -> Running {
        self.started += 1;
        let mut settings = Place::settings(&format!("relay-{}", self.started));
        settings.lease = Duration::from_millis(200);
        spawn(&self.place.world.relay_with(publisher, settings))
    }

    fn consumer(
        &self,
        queue: &Arc<MemoryQueue>,
        inbox: &Arc<MemoryInbox>,
    ) -> tokio::task::JoinHandle<()> {
        let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&self.place.world.clock);
        let queue: Arc<dyn MessageQueue> = Arc::<MemoryQueue>::clone(queue);
        let mut settings = ConsumerSettings::new("history");
        settings.visibility = Duration::from_millis(400);
        let inbox = Arc::<MemoryInbox>::clone(inbox);
        let consumer = Consumer::new(queue, inbox, self.projector(), clock, settings);
        let consumer = consumer.unwrap().with_ledger(self.place.ledger());
        tokio::spawn(async move { consumer.run(std::future::pending()).await })
    }

    pub(super) fn begin(&mut self, by_queue: bool) -> Way {
        if !by_queue {
            let projector = self.projector();
            return Way::Relay(Some(self.relay(projector)));
        }
        let clock = Arc::<TestClock>::clone(&self.place.world.clock);
        let queue = MemoryQueue::new(clock).with_window(Duration::ZERO);
        let queue = Arc::new(queue.with_wait(Duration::from_secs(1)));
        let inbox = Arc::new(MemoryInbox::new());
        let relay = Some(self.relay(Arc::<MemoryQueue>::clone(&queue)));
        let consumers = [(); 2].map(|()| self.consumer(&queue, &inbox));
        Way::Queue {
            queue,
            inbox,
            relay,
            consumers,
        }
    }

    /// Kills a process at a random point and starts another.
    pub(super) async fn restart(&mut self, way: &mut Way) {
        match way {
            Way::Relay(relay) => {
                relay.take().unwrap().kill().await;
                let projector = self.projector();
                *relay = Some(self.relay(projector));
            }
            Way::Queue {
                queue,
                inbox,
                consumers,
                ..
            } => {
                let one = &mut consumers[self.rng.usize(..2)];
                one.abort();
                *one = self.consumer(queue, inbox);
            }
        }
    }

    pub(super) async fn end(way: Way) {
        match way {
            Way::Relay(relay) => relay.unwrap().kill().await,
            Way::Queue {
                relay, consumers, ..
            } => {
                relay.unwrap().kill().await;
                for one in consumers {
                    one.abort();
                }
            }
        }
    }

    /// Whether all events are processed in time.
    pub(super) async fn is_drained(&self, way: &Way) -> bool {
        let relay = self.place.world.relay(self.place.projector());
        for _ in 0..300 {
            let depth = relay.depth().await;
            let is_queued = match way {
                Way::Relay(_) => false,
                Way::Queue { queue, .. } => !queue.messages().is_empty(),
            };
            if depth.unwrap().rows == 0 && !is_queued {
                return true;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        false
    }

    /// Restores the books from a backup with an approximate time.
    pub(super) async fn restore(&mut self, (tables, at): &(Tables, Timestamp)) {
        *self.place.world.store.shared().tables() = tables.clone();
        let early = Duration::from_millis(self.rng.u64(..3) * self.rng.u64(..4_000));
        let by = RaisedBy::new(&format!("ops {}", self.rng.u32(..))).unwrap();
        let store = &self.place.world.store;
        let raised = store.raise_epoch(at.saturating_sub(early), &by).await;
        raised.unwrap();
        // Epochs distinguish restores of one backup by the second.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    /// A new wallet reads the same from history as from the ledger.
    pub(super) async fn reads(&mut self, account: AccountKey) -> Option<String> {
        let store = Arc::<MemoryStore>::clone(&self.place.world.store);
        let clock = Arc::<TestClock>::clone(&self.place.world.clock);
        let builder = || Wallet::builder(store.clone()).clock(clock.clone());
        let with = builder().history(self.history()).spawn().unwrap();
        let without = builder().spawn().unwrap();
        let query = HistoryQuery::first(account, 1 + self.rng.u32(..9));
        let statement = with.statement(&query).await.unwrap();
        if statement != without.statement(&query).await.unwrap() {
            return Some(format!("{account}: another statement"));
        }
        let back = Duration::from_millis(self.rng.u64(..6_000));
        let at = clock.now().saturating_sub(back);
        let balance = with.balance_at(account, at).await.unwrap();
        let due = without.balance_at(account, at).await.unwrap();
        (balance != due).then(|| format!("{account}: {balance:?} at {at}, not {due:?}"))
    }
}
