//! The messages of one receive are deleted together.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::messaging::{DeliveryError, MessageQueue, Received};
use wallet_events::ConsumerSettings;
use wallet_events::memory::MemoryQueue;

use crate::consumer::shop::{NAME, Shop, start};

/// Counts the deletes of a call, and leaves out the first entries of the first calls, as
/// a service may.
#[derive(Debug)]
struct Partial {
    queue: Arc<MemoryQueue>,
    deleted: Mutex<Vec<usize>>,
    failing: Mutex<usize>,
}

impl Partial {
    fn new(queue: &Arc<MemoryQueue>, failing: usize) -> Arc<Self> {
        Arc::new(Self {
            queue: Arc::clone(queue),
            deleted: Mutex::default(),
            failing: Mutex::new(failing),
        })
    }

    fn deleted(&self) -> Vec<usize> {
        self.deleted.lock().unwrap().clone()
    }
}

#[async_trait]
impl MessageQueue for Partial {
    async fn receive(
        &self,
        limit: u32,
        visibility: Duration,
    ) -> Result<Vec<Received>, DeliveryError> {
        self.queue.receive(limit, visibility).await
    }

    async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), DeliveryError> {
        self.queue.extend(receipt, visibility).await
    }

    async fn delete(&self, receipt: &str) -> Result<(), DeliveryError> {
        self.deleted.lock().unwrap().push(1);
        self.queue.delete(receipt).await
    }

    async fn delete_batch(&self, receipts: &[String]) -> Vec<Result<(), DeliveryError>> {
        self.deleted.lock().unwrap().push(receipts.len());
        let failing = {
            let mut failing = self.failing.lock().unwrap();
            let now = usize::from(*failing > 0).min(receipts.len());
            *failing -= now;
            now
        };
        let (left_out, rest) = receipts.split_at(failing);
        let left_out = left_out.iter();
        let mut answers: Vec<_> = left_out
            .map(|_| Err(DeliveryError::new("an entry failed")))
            .collect();
        answers.extend(self.queue.delete_batch(rest).await);
        answers
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_receive_gave_is_deleted_in_one_call() {
    let shop = Shop::new();
    let accounts = shop.world.accounts::<3>().await;
    shop.send(&shop.published().await).await;
    let queue = Partial::new(&shop.queue, 0);
    let consumer = shop.consumer_of(queue.clone(), ConsumerSettings::new(NAME));
    let at_work = start(consumer);
    shop.consumed().await;
    for account in accounts {
        assert_eq!(shop.books.versions(account), [1, 2]);
    }
    assert_eq!(queue.deleted(), [6]);
    at_work.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_deleted_comes_again_and_has_no_second_effect() {
    let shop = Shop::new();
    let [ada, bob] = shop.world.accounts().await;
    shop.send(&shop.published().await).await;
    let queue = Partial::new(&shop.queue, 2);
    let consumer = shop.consumer_of(queue.clone(), ConsumerSettings::new(NAME));
    let at_work = start(consumer);
    shop.consumed().await;
    assert_eq!(shop.books.versions(ada), [1, 2]);
    assert_eq!(shop.books.versions(bob), [1, 2]);
    assert_eq!(queue.deleted(), [4, 1, 1]);
    let stats = at_work.consumer.stats();
    assert_eq!((stats.handled, stats.duplicates), (4, 2));
    assert!(stats.last_failure.unwrap().contains("an entry failed"));
    at_work.stop().await;
}
