//! The optimistic in-memory store passes the whole conformance suite, with a
//! conflict in every fifth commit.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::OptimisticStore;
use wallet_testkit::{Built, Capabilities, Handles, ManualClock, Reopen, StoreFactory};

#[derive(Debug)]
struct Optimistic;

/// Clones share the tables, as processes share a database.
#[derive(Debug)]
struct Clones(OptimisticStore);

#[async_trait]
impl Reopen for Clones {
    async fn reopen(&mut self) -> Handles {
        unreachable!("nothing survives the process")
    }

    async fn open_another(&mut self) -> Option<Handles> {
        Some(Handles::of(Arc::new(self.0.clone())))
    }
}

#[async_trait]
impl StoreFactory for Optimistic {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            manual_clock: true,
            reopen: false,
        }
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
        let store = OptimisticStore::with_conflicts(clock, 7, 200);
        Built::new(Handles::of(Arc::new(store.clone())), Clones(store))
    }
}

wallet_testkit::ledger_store_conformance!(Optimistic);
wallet_testkit::outbox_conformance!(Optimistic);
