//! The optimistic in-memory store answers as the naive model does.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::OptimisticStore;
use wallet_testkit::{Built, Factory, ManualClock, StoreEnds, model_tests};

#[derive(Debug)]
struct Optimistic;

#[async_trait]
impl Factory<StoreEnds> for Optimistic {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let store = Arc::new(OptimisticStore::with_conflicts(clock, 7, 100));
        Built::new(Arc::new(StoreEnds::of(store)), ())
    }
}

model_tests!(Optimistic, 200);
