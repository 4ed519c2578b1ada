//! The model finds stores that compute wrong balances.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::memory::MemoryStore;
use wallet_sim::{Bug, FaultyStore, Rng, Saboteur, ScriptedFaults};
use wallet_testkit::model::check_store;
use wallet_testkit::{Built, Factory, ManualClock, StoreEnds};

#[derive(Debug)]
struct Sabotaged(Bug);

#[async_trait]
impl Factory<StoreEnds> for Sabotaged {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let inner = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
        let saboteur = Saboteur::new(self.0, Arc::clone(&inner), Rng::new(1), 300);
        let outbox = Arc::<MemoryStore>::clone(&inner);
        let store = FaultyStore::new(inner, clock, Arc::new(ScriptedFaults::default()));
        let store = Arc::new(store.with_sabotage(Arc::new(saboteur)));
        Built::new(Arc::new(StoreEnds { store, outbox }), ())
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

/// Bugs that are visible without any fault around the store.
const ALONE: [Bug; 8] = [
    Bug::RecordsAfterCommit,
    Bug::RecordsBeforeCommit,
    Bug::AppliesTwice,
    Bug::ForgetsReversals,
    Bug::ExpiryIgnoresCaptures,
    Bug::ReleasesTwice,
    Bug::LetsTimeGoBack,
    Bug::AnswersPastUnfenced,
];

#[test]
fn what_a_store_gets_wrong_by_itself_is_found() {
    for bug in ALONE {
        let checked = std::panic::catch_unwind(|| check_store(&Sabotaged(bug), 120));
        let why = checked.expect_err(&format!("{bug:?} stays hidden"));
        let why = why.downcast_ref::<String>().expect("a reason");
        assert!(why.contains("replay with WALLET_MODEL_SEED"), "{why}");
    }
}
