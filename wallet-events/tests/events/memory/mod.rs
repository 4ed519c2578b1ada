//! The forwarder and the redrive on queues in memory, with scripted faults and a paused
//! clock: no test waits.

mod conformance;
mod forwarder;
mod queue;
mod redrive;

use std::sync::Arc;
use std::time::Duration;

use wallet_core::messaging::{EventPublisher, Message, MessageQueue};
use wallet_events::memory::MemoryQueue;

use crate::kit::TestClock;

fn clock() -> Arc<TestClock> {
    TestClock::new()
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
