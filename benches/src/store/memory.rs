use std::sync::Arc;

use wallet_core::SystemClock;
use wallet_core::memory::MemoryStore;
use wallet_core::store::{HostTransactions, LedgerStore, Outbox};

use super::Subject;
use crate::Result;

/// The pessimistic store in memory.
#[derive(Debug)]
pub(super) struct Memory {
    store: Arc<MemoryStore>,
}

impl Memory {
    pub(super) fn open() -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        Self { store }
    }
}

impl Subject for Memory {
    fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::<MemoryStore>::clone(&self.store)
    }

    fn transactions(&self) -> Arc<dyn HostTransactions> {
        Arc::<MemoryStore>::clone(&self.store)
    }

    fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::<MemoryStore>::clone(&self.store)
    }

    fn bytes(&self) -> Result<Option<u64>> {
        Ok(None)
    }
}
