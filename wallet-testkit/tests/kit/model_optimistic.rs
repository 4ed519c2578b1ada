//! The optimistic in-memory store answers as the naive model does.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::OptimisticStore;
use wallet_testkit::{Built, Capabilities, Handles, ManualClock, StoreFactory, model_tests};

#[derive(Debug)]
struct Optimistic;

#[async_trait]
impl StoreFactory for Optimistic {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            manual_clock: true,
            reopen: false,
        }
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
        Built::new(
            Handles::of(Arc::new(OptimisticStore::with_conflicts(clock, 7, 100))),
            (),
        )
    }
}

model_tests!(Optimistic, 200);
