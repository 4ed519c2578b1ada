//! The optimistic in-memory store passes the whole conformance suite, with
//! every fifth commit failing for a conflict.
#![cfg(feature = "testkit")]

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::OptimisticStore;
use wallet_core::testkit::{Built, Capabilities, Handles, ManualClock, StoreFactory};

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
            Handles::of(Arc::new(OptimisticStore::with_conflicts(clock, 7, 200))),
            (),
        )
    }
}

wallet_core::ledger_store_conformance!(Optimistic);
wallet_core::outbox_conformance!(Optimistic);
