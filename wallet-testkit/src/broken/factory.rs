use std::sync::Arc;

use async_trait::async_trait;

use super::{BrokenStore, Bug};
use crate::{Built, Capabilities, Handles, ManualClock, Reopen, StoreFactory};
use wallet_core::memory::MemoryStore;

/// Makes in-memory stores with a bug; without a bug, correct stores for comparison.
#[derive(Debug, Clone, Copy)]
pub struct Broken(pub Option<Bug>);

/// The tables outlive the store's handles, as a file outlives a process.
#[derive(Debug)]
struct Tables {
    bug: Option<Bug>,
    memory: MemoryStore,
    clock: Arc<ManualClock>,
}

impl Tables {
    fn open(&self) -> Handles {
        let store = BrokenStore::new(self.memory.clone(), self.bug);
        Handles::of(Arc::new(store))
    }
}

#[async_trait]
impl Reopen for Tables {
    async fn reopen(&mut self) -> Handles {
        if self.bug == Some(Bug::ForgetsOnRestart) {
            self.memory = MemoryStore::new(Arc::<ManualClock>::clone(&self.clock));
        }
        self.open()
    }

    async fn open_another(&mut self) -> Option<Handles> {
        Some(self.open())
    }
}

#[async_trait]
impl StoreFactory for Broken {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            manual_clock: true,
            reopen: true,
        }
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
        let memory = MemoryStore::new(Arc::<ManualClock>::clone(&clock));
        let tables = Tables {
            bug: self.0,
            memory,
            clock,
        };
        Built::new(tables.open(), tables)
    }
}
