//! The pessimistic in-memory store passes the whole conformance suite.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::MemoryStore;
use wallet_testkit::{Built, Factory, ManualClock, Reopen, StoreEnds};

#[derive(Debug)]
struct Memory;

/// Clones share the tables, as processes share a database.
#[derive(Debug)]
struct Clones(MemoryStore);

#[async_trait]
impl Reopen<StoreEnds> for Clones {
    async fn open_another(&mut self) -> Option<Arc<StoreEnds>> {
        Some(Arc::new(StoreEnds::of(Arc::new(self.0.clone()))))
    }
}

#[async_trait]
impl Factory<StoreEnds> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let store = MemoryStore::new(clock);
        let ends = StoreEnds::of(Arc::new(store.clone()));
        Built::new(Arc::new(ends), Clones(store))
    }
}

wallet_testkit::ledger_store_conformance!(Memory);
wallet_testkit::outbox_conformance!(Memory);
