//! The model finds stores that get their books wrong.

#![cfg(feature = "testkit")]

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::MemoryStore;
use wallet_core::testkit::model::check_store;
use wallet_core::testkit::simulation::{Bug, FaultyStore, Rng, Saboteur, ScriptedFaults};
use wallet_core::testkit::{Built, Capabilities, Handles, ManualClock, StoreFactory};

#[derive(Debug)]
struct Sabotaged(Bug);

#[async_trait]
impl StoreFactory for Sabotaged {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            manual_clock: true,
            reopen: false,
        }
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
        let inner = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
        let saboteur = Saboteur::new(self.0, Arc::clone(&inner), Rng::new(1), 300);
        let outbox = Arc::<MemoryStore>::clone(&inner);
        let store = FaultyStore::new(inner, clock, Arc::new(ScriptedFaults::default()));
        let store = Arc::new(store.with_sabotage(Arc::new(saboteur)));
        Built::new(Handles { store, outbox }, ())
    }
}

#[test]
#[should_panic(expected = "replay with WALLET_MODEL_SEED")]
fn a_store_that_loses_updates_is_found() {
    check_store(&Sabotaged(Bug::LosesUpdate), 20);
}

#[test]
#[should_panic(expected = "replay with WALLET_MODEL_SEED")]
fn a_store_that_loses_commits_is_found() {
    check_store(&Sabotaged(Bug::LosesCommit), 20);
}

#[test]
#[should_panic(expected = "replay with WALLET_MODEL_SEED")]
fn a_store_that_loses_events_is_found() {
    check_store(&Sabotaged(Bug::LosesEvents), 20);
}
