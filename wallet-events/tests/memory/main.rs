//! The forwarder and the redrive on queues in memory, with scripted faults and a paused
//! clock: no test waits.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that fails says so by panicking"
)]

mod conformance;
mod forwarder;
mod queue;
mod redrive;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use wallet_core::Timestamp;
use wallet_core::messaging::{EventPublisher, Message, MessageQueue};
use wallet_core::runtime::Clock;
use wallet_events::memory::MemoryQueue;

/// Tokio's paused time: it advances when all tasks sleep.
#[derive(Debug)]
struct TestClock(Instant);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let noon = Timestamp::from_micros(1_735_732_800_000_000);
        noon.saturating_add(self.0.elapsed())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

fn clock() -> Arc<TestClock> {
    Arc::new(TestClock(Instant::now()))
}

/// A message of the group that its name begins with.
fn message(name: &str) -> Message {
    Message {
        id: name.to_owned(),
        group: name.chars().take(1).collect(),
        attributes: vec![("currency".to_owned(), "EUR".to_owned())],
        body: format!("{{\"name\":\"{name}\"}}"),
    }
}

async fn send(queue: &MemoryQueue, names: &[&str]) {
    for name in names {
        queue.publish(&[message(name)]).await.unwrap();
    }
}

async fn receive(queue: &MemoryQueue, seconds: u64) -> Vec<(String, String)> {
    let visibility = Duration::from_secs(seconds);
    let received = queue.receive(10, visibility).await.unwrap().into_iter();
    let named = received.map(|received| (received.message.id, received.receipt));
    named.collect()
}

fn names(queue: &MemoryQueue) -> Vec<String> {
    let messages = queue.messages().into_iter();
    messages.map(|message| message.id).collect()
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
