//! The queue in memory passes the conformance suite of the port.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_events::memory::MemoryQueue;
use wallet_testkit::{BuiltPort, ManualClock, PortFactory, QueueEnds};

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

wallet_testkit::message_queue_conformance!(Memory);
