//! The pessimistic in-memory store answers as the naive model does.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::MemoryStore;
use wallet_testkit::{Built, Capabilities, Handles, ManualClock, StoreFactory, model_tests};

#[derive(Debug)]
struct Pessimistic;

#[async_trait]
impl StoreFactory for Pessimistic {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            manual_clock: true,
            reopen: false,
        }
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
        Built::new(Handles::of(Arc::new(MemoryStore::new(clock))), ())
    }
}

model_tests!(Pessimistic, 200);
