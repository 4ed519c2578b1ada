use std::sync::Arc;

use wallet_core::store::{LedgerStore, Outbox};

/// Both ports of a store under test. A [`Factory`](super::Factory) of stores builds
/// it.
#[derive(Debug, Clone)]
pub struct StoreEnds {
    /// The ledger store.
    pub store: Arc<dyn LedgerStore>,
    /// The outbox of the store.
    pub outbox: Arc<dyn Outbox>,
}

impl StoreEnds {
    /// Both ports of a store that implements both.
    #[must_use]
    pub fn of<S: LedgerStore + Outbox>(store: Arc<S>) -> Self {
        Self {
            outbox: Arc::<S>::clone(&store),
            store,
        }
    }
}
