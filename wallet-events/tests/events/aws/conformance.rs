//! The queue on the emulator passes the conformance suite of the port.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_testkit::{Built, Factory, ManualClock, QueueEnds};

use super::Fifo;

#[derive(Debug)]
struct Sqs;

#[async_trait]
impl Factory<QueueEnds> for Sqs {
    async fn build(&self, _: Arc<ManualClock>) -> Built<QueueEnds> {
        let fifo = Fifo::new("list", &[]).await;
        let ends = QueueEnds {
            publisher: Arc::new(fifo.publisher()),
            queue: Arc::new(fifo.queue()),
        };
        Built::new(Arc::new(ends), ())
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build();
        runtime.unwrap().block_on(future);
    }
}

wallet_testkit::message_queue_conformance!(Sqs);
