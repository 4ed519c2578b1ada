//! The queue in memory passes the conformance suite of the port.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_events::memory::MemoryQueue;
use wallet_testkit::{Built, Factory, ManualClock, QueueEnds};

#[derive(Debug)]
struct Memory;

#[async_trait]
impl Factory<QueueEnds> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<QueueEnds> {
        let queue = Arc::new(MemoryQueue::new(clock));
        let publisher = Arc::<MemoryQueue>::clone(&queue);
        Built::new(Arc::new(QueueEnds { publisher, queue }), ())
    }
}

wallet_testkit::message_queue_conformance!(Memory);
