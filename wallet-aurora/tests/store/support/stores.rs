//! Stores for the test kit, each in a separate database.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_aurora::AuroraStore;
use wallet_test_servers::Kind;
use wallet_testkit::{Built, Factory, ManualClock, Reopen, StoreEnds};

use super::{Database, runtime};

/// Creates stores on a server of this kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stores {
    pub(crate) kind: Kind,
    /// Whether the kit's clock replaces the database's clock.
    pub(crate) manual_clock: bool,
}

#[derive(Debug)]
struct Opened {
    database: Database,
    clock: Option<Arc<ManualClock>>,
}

impl Opened {
    async fn open(&self) -> Arc<StoreEnds> {
        let settings = self.database.settings();
        let store = match &self.clock {
            None => AuroraStore::open(&settings).await,
            Some(clock) => {
                let clock: Arc<ManualClock> = Arc::clone(clock);
                AuroraStore::open_with_clock(&settings, clock).await
            }
        };
        let store = store.unwrap_or_else(|error| {
            panic!("{error}: {:?}", std::error::Error::source(&error));
        });
        Arc::new(StoreEnds::of(Arc::new(store)))
    }
}

#[async_trait]
impl Factory<StoreEnds> for Stores {
    fn uses_the_clock(&self) -> bool {
        self.manual_clock
    }

    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let database = Database::create(self.kind).await;
        let clock = self.manual_clock.then_some(clock);
        let opened = Opened { database, clock };
        Built::new(opened.open().await, opened)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        runtime().block_on(future);
    }
}

#[async_trait]
impl Reopen<StoreEnds> for Opened {
    async fn reopen(&mut self) -> Option<Arc<StoreEnds>> {
        Some(self.open().await)
    }

    async fn open_another(&mut self) -> Option<Arc<StoreEnds>> {
        Some(self.open().await)
    }
}
