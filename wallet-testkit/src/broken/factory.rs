use std::sync::Arc;

use async_trait::async_trait;

use super::{BrokenStore, Bug};
use crate::{Built, Factory, ManualClock, Reopen, StoreEnds};
use wallet_core::memory::MemoryStore;

/// Makes in-memory stores with a bug; without a bug, correct stores for comparison.
#[derive(Debug, Clone, Copy)]
pub struct Broken(pub Option<Bug>);

/// The tables outlive the store, as a file outlives a process.
#[derive(Debug)]
struct Tables {
    bug: Option<Bug>,
    memory: MemoryStore,
    clock: Arc<ManualClock>,
}

impl Tables {
    fn open(&self) -> Arc<StoreEnds> {
        let store = BrokenStore::new(self.memory.clone(), self.bug);
        Arc::new(StoreEnds::of(Arc::new(store)))
    }
}

#[async_trait]
impl Reopen<StoreEnds> for Tables {
    async fn reopen(&mut self) -> Option<Arc<StoreEnds>> {
        if self.bug == Some(Bug::ForgetsOnRestart) {
            self.memory = MemoryStore::new(Arc::<ManualClock>::clone(&self.clock));
        }
        Some(self.open())
    }

    async fn open_another(&mut self) -> Option<Arc<StoreEnds>> {
        Some(self.open())
    }
}

#[async_trait]
impl Factory<StoreEnds> for Broken {
    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let memory = MemoryStore::new(Arc::<ManualClock>::clone(&clock));
        let tables = Tables {
            bug: self.0,
            memory,
            clock,
        };
        Built::new(tables.open(), tables)
    }
}
