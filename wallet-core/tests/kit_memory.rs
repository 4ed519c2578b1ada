//! The pessimistic in-memory store passes the whole conformance suite.
#![cfg(feature = "testkit")]

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::MemoryStore;
use wallet_core::testkit::{Built, Capabilities, Handles, ManualClock, StoreFactory};

#[derive(Debug)]
struct Memory;

#[async_trait]
impl StoreFactory for Memory {
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

wallet_core::ledger_store_conformance!(Memory);
wallet_core::outbox_conformance!(Memory);
