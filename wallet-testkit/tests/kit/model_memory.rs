//! The pessimistic in-memory store answers as the naive model does.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::MemoryStore;
use wallet_testkit::{Built, Factory, ManualClock, StoreEnds, model_tests};

#[derive(Debug)]
struct Pessimistic;

#[async_trait]
impl Factory<StoreEnds> for Pessimistic {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let store = Arc::new(MemoryStore::new(clock));
        Built::new(Arc::new(StoreEnds::of(store)), ())
    }
}

model_tests!(Pessimistic, 200);
