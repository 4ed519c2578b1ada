//! The optimistic in-memory store passes the whole conformance suite, with a
//! conflict in every fifth commit.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::OptimisticStore;
use wallet_testkit::{Built, Factory, ManualClock, Reopen, StoreEnds};

#[derive(Debug)]
struct Optimistic;

/// Clones share the tables, as processes share a database.
#[derive(Debug)]
struct Clones(OptimisticStore);

#[async_trait]
impl Reopen<StoreEnds> for Clones {
    async fn open_another(&mut self) -> Option<Arc<StoreEnds>> {
        Some(Arc::new(StoreEnds::of(Arc::new(self.0.clone()))))
    }
}

#[async_trait]
impl Factory<StoreEnds> for Optimistic {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let store = OptimisticStore::with_conflicts(clock, 7, 200);
        let ends = StoreEnds::of(Arc::new(store.clone()));
        Built::new(Arc::new(ends), Clones(store))
    }
}

wallet_testkit::ledger_store_conformance!(Optimistic);
wallet_testkit::outbox_conformance!(Optimistic);
