//! The store passes every case of the test kit.

use std::sync::Arc;

use async_trait::async_trait;
use wallet_store_example::{Database, ExampleStore};
use wallet_testkit::{Built, Factory, ManualClock, Reopen, StoreEnds};

/// Makes a store on an empty database for each case.
#[derive(Debug)]
struct ExampleStores;

/// The database of one case. It lives longer than the stores that are open on it.
#[derive(Debug)]
struct Reopener {
    database: Database,
    clock: Arc<ManualClock>,
}

impl Reopener {
    fn open(&self) -> Arc<StoreEnds> {
        let clock = Arc::<ManualClock>::clone(&self.clock);
        let store = ExampleStore::open(self.database.clone(), clock);
        Arc::new(StoreEnds::of(Arc::new(store)))
    }
}

#[async_trait]
impl Factory<StoreEnds> for ExampleStores {
    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let database = Database::new();
        let guard = Reopener { database, clock };
        Built::new(guard.open(), guard)
    }
}

#[async_trait]
impl Reopen<StoreEnds> for Reopener {
    /// A new store on the same database: it shows that the store itself remembers
    /// nothing. It cannot show that the database survives a crash.
    async fn reopen(&mut self) -> Option<Arc<StoreEnds>> {
        Some(self.open())
    }

    async fn open_another(&mut self) -> Option<Arc<StoreEnds>> {
        Some(self.open())
    }
}

wallet_testkit::ledger_store_conformance!(ExampleStores);
wallet_testkit::outbox_conformance!(ExampleStores);
wallet_testkit::model_tests!(ExampleStores);
