use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::messaging::{
    DeliveryError, EventPublisher, Message, MessageQueue, Published, PublisherLimits, Received,
};
use wallet_events::ConsumerSettings;
use wallet_events::memory::MemoryQueue;

use crate::consumer::books::{Books, Way};
use crate::consumer::shop::{NAME, Shop, start};
use crate::kit::{World, spawn};

/// A queue with latency: a process can die between an operation and its answer, and
/// between an effect and the delete of its message.
#[derive(Debug)]
struct Far(Arc<MemoryQueue>);

async fn travel() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

#[async_trait]
impl EventPublisher for Far {
    fn limits(&self) -> PublisherLimits {
        self.0.limits()
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        let answers = self.0.publish(messages).await;
        travel().await;
        answers
    }
}

#[async_trait]
impl MessageQueue for Far {
    async fn receive(
        &self,
        limit: u32,
        visibility: Duration,
    ) -> Result<Vec<Received>, DeliveryError> {
        self.0.receive(limit, visibility).await
    }

    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), DeliveryError> {
        travel().await;
        self.0.extend(receipt, visibility).await
    }

    async fn delete(&self, receipt: &str) -> Result<(), DeliveryError> {
        travel().await;
        self.0.delete(receipt).await
    }

    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>> {
        travel().await;
        self.0.delete_batch(receipts).await
    }
}

/// Ten thousand events; one hundred relays and one hundred consumers die at random
/// points, and the queue repeats messages. Every effect happens once, in order.
#[tokio::test(start_paused = true)]
async fn relays_and_consumers_die_and_every_effect_happens_once() {
    let books = Books::slow(Way::Together, Duration::from_millis(1));
    // A crash is not a poison message: the queue hands out messages without a limit.
    let shop = Shop::with_receives(1_000, books);
    let accounts = shop.world.accounts::<20>().await;
    let mut rng = fastrand::Rng::with_seed(11);
    let mut deaths = 0;
    let (mut received, mut duplicates) = (0, 0);
    let far = || Arc::new(Far(Arc::<MemoryQueue>::clone(&shop.queue)));
    let settings = || {
        let mut settings = ConsumerSettings::new(NAME);
        settings.visibility = Duration::from_millis(400);
        settings
    };
    for number in 0..100 {
        let mut of_relay = World::settings(&format!("relay-{number}"));
        of_relay.lease = Duration::from_millis(200);
        let relay = spawn(&shop.world.relay_with(far(), of_relay));
        let consumer = shop
            .consumer_of(far(), settings())
            .with_ledger(shop.ledger());
        let consumer = start(consumer);
        for _ in 0..50 {
            let [from, to] = [rng.usize(..20), rng.usize(..19)];
            let to = if from == to { 19 } else { to };
            shop.world.pay(accounts[from], accounts[to]).await;
        }
        tokio::time::sleep(Duration::from_micros(rng.u64(150_000..450_000))).await;
        let stats = consumer.consumer.stats();
        received += stats.received;
        duplicates += stats.duplicates;
        relay.kill().await;
        consumer.kill().await;
        deaths += 2;
    }
    assert_eq!(deaths, 200);
    let relay = spawn(&shop.world.relay(far()));
    let consumer = start(
        shop.consumer_of(far(), settings())
            .with_ledger(shop.ledger()),
    );
    shop.world.drained().await;
    relay.stop().await;
    shop.consumed().await;
    let stats = consumer.consumer.stats();
    received += stats.received;
    duplicates += stats.duplicates;
    consumer.stop().await;

    let mut effects = 0;
    for account in accounts {
        let versions = shop.books.versions(account);
        let due: Vec<_> = (1..=shop.world.version(account).await).collect();
        assert_eq!(versions, due, "effects of {account}");
        effects += versions.len();
    }
    assert!(effects > 10_000);
    assert!(duplicates > 0, "nothing ever came twice");
    assert!(received > u64::try_from(effects).unwrap());
    let unique: BTreeSet<_> = shop
        .books
        .effects()
        .iter()
        .map(|effect| effect.event.id())
        .collect();
    assert_eq!(unique.len(), effects);
}
