//! The store passes every case of the test kit.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_store_example::{Database, ExampleStore};
use wallet_testkit::{Built, Capabilities, Handles, ManualClock, Reopen, StoreFactory};

/// Makes a store on an empty database for each case.
#[derive(Debug)]
struct ExampleStores;

/// The database of one case. It lives longer than the stores that are open on it.
#[derive(Debug)]
struct Guard {
    database: Database,
    clock: Arc<ManualClock>,
}

impl Guard {
    fn open(&self) -> Handles {
        let clock = Arc::<ManualClock>::clone(&self.clock);
        Handles::of(Arc::new(ExampleStore::open(self.database.clone(), clock)))
    }
}

#[async_trait]
impl StoreFactory for ExampleStores {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            manual_clock: true,
            reopen: true,
        }
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
        let database = Database::new();
        let guard = Guard { database, clock };
        Built::new(guard.open(), guard)
    }
}

#[async_trait]
impl Reopen for Guard {
    /// A new store on the same database: it shows that the store itself remembers
    /// nothing. It cannot show that the database survives a crash.
    async fn reopen(&mut self) -> Handles {
        self.open()
    }

    async fn open_another(&mut self) -> Option<Handles> {
        Some(self.open())
    }
}

wallet_testkit::ledger_store_conformance!(ExampleStores);
wallet_testkit::outbox_conformance!(ExampleStores);
wallet_testkit::model_tests!(ExampleStores);
