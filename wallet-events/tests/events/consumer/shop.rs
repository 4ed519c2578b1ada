use std::sync::Arc;
use std::time::Duration;

use wallet_core::memory::MemoryStore;
use wallet_core::messaging::{EventPublisher, Message, MessageQueue, PublisherLimits};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_events::memory::MemoryQueue;
use wallet_events::{Consumer, ConsumerSettings};

use crate::consumer::books::{Books, Way};
use crate::kit::{Running, TestClock, World};

/// The consumer's name.
pub(crate) const NAME: &str = "shop";

/// A ledger, its events, a queue, and a consumer with its own database.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) dead: Arc<MemoryQueue>,
    pub(crate) books: Arc<Books>,
}

/// A consumer that runs until it is stopped.
pub(crate) struct AtWork {
    pub(crate) consumer: Consumer,
    running: Running,
}

impl AtWork {
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }

    /// Stops as kill -9 does.
    pub(crate) async fn kill(self) {
        self.running.kill().await;
    }
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with(Books::new(Way::Together))
    }

    /// A queue without deduplication that hands out a message five times.
    pub(crate) fn with(books: Arc<Books>) -> Self {
        Self::with_receives(5, books)
    }

    /// The same with another number of receives.
    pub(crate) fn with_receives(receives: u32, books: Arc<Books>) -> Self {
        let world = World::new();
        let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&world.clock);
        let dead = Arc::new(MemoryQueue::new(Arc::clone(&clock)));
        let queue = MemoryQueue::new(clock).with_window(Duration::ZERO);
        let queue = queue.with_wait(Duration::from_secs(1));
        let queue = queue.with_limits(PublisherLimits {
            messages: 10,
            bytes: 1_048_576,
            keeps_order: false,
        });
        let queue = Arc::new(queue.with_dead_letters(receives, Arc::clone(&dead)));
        Self {
            world,
            queue,
            dead,
            books,
        }
    }

    /// All messages that the ledger has published since the last call, in the order of
    /// one relay.
    pub(crate) async fn published(&self) -> Vec<Message> {
        self.world.published(World::settings("first")).await
    }

    pub(crate) async fn send(&self, messages: &[Message]) {
        for message in messages {
            let one = std::slice::from_ref(message);
            self.queue.publish(one).await.unwrap();
        }
    }

    pub(crate) fn consumer(&self, settings: ConsumerSettings) -> Consumer {
        self.consumer_of(Arc::<MemoryQueue>::clone(&self.queue), settings)
    }

    /// A consumer that reaches the queue through another adapter.
    pub(crate) fn consumer_of(
        &self,
        queue: Arc<dyn MessageQueue>,
        settings: ConsumerSettings,
    ) -> Consumer {
        let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&self.world.clock);
        let books = &self.books;
        let (inbox, handler) = (Arc::<Books>::clone(books), Arc::<Books>::clone(books));
        Consumer::new(queue, inbox, handler, clock, settings).unwrap()
    }

    pub(crate) fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::<MemoryStore>::clone(&self.world.store)
    }

    /// A consumer that reads missing versions from the ledger.
    pub(crate) fn start(&self) -> AtWork {
        start(
            self.consumer(ConsumerSettings::new(NAME))
                .with_ledger(self.ledger()),
        )
    }

    /// Waits until the queue is empty, with no message in flight.
    pub(crate) async fn consumed(&self) {
        for _ in 0..100_000 {
            if self.queue.messages().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("never consumed: {:?}", self.queue.messages().first());
    }
}

pub(crate) fn start(consumer: Consumer) -> AtWork {
    let at_work = consumer.clone();
    let running = Running::start(|stopped| async move { at_work.run(stopped).await });
    AtWork { consumer, running }
}
