use std::sync::Arc;

use wallet_core::memory::MemoryStore;
use wallet_core::store::LedgerStore;
use wallet_events::{HandlerPublisher, HandlerSettings};

use crate::consumer::books::{Books, Way};
use crate::consumer::shop::NAME;
use crate::kit::{TestClock, World};

/// A ledger, and a handler with its own database behind the relay.
pub(crate) struct Place {
    pub(crate) world: World,
    pub(crate) books: Arc<Books>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(Books::new(Way::Together))
    }

    pub(crate) fn with(books: Arc<Books>) -> Self {
        let world = World::new();
        Self { world, books }
    }

    /// The handler as a process makes it when it starts: without memory of earlier ones.
    pub(crate) fn handler(&self) -> Arc<HandlerPublisher> {
        self.handler_with(HandlerSettings::new(NAME))
    }

    pub(crate) fn handler_with(&self, settings: HandlerSettings) -> Arc<HandlerPublisher> {
        let books = &self.books;
        let (inbox, handler) = (Arc::<Books>::clone(books), Arc::<Books>::clone(books));
        let ledger: Arc<dyn LedgerStore> = Arc::<MemoryStore>::clone(&self.world.store);
        let clock = Arc::<TestClock>::clone(&self.world.clock);
        Arc::new(HandlerPublisher::new(inbox, handler, ledger, clock, settings).unwrap())
    }
}
