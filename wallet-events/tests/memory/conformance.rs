//! The queue in memory passes the list of the port.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::testkit::{BuiltPort, ManualClock, PortFactory, QueueEnds};
use wallet_events::memory::MemoryQueue;

#[derive(Debug)]
struct Memory;

#[async_trait]
impl PortFactory<QueueEnds> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> BuiltPort<QueueEnds> {
        let queue = Arc::new(MemoryQueue::new(clock));
        let publisher = Arc::<MemoryQueue>::clone(&queue);
        BuiltPort::new(Arc::new(QueueEnds { publisher, queue }), ())
    }
}

wallet_core::message_queue_conformance!(Memory);
