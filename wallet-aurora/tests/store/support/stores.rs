//! Stores for the test kit, each in a separate database.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_aurora::AuroraStore;
use wallet_test_servers::Kind;
use wallet_testkit::{Built, Capabilities, Handles, ManualClock, Reopen, StoreFactory};

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
    async fn open(&self) -> Handles {
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
        Handles::of(Arc::new(store))
    }
}

#[async_trait]
impl StoreFactory for Stores {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            manual_clock: self.manual_clock,
            reopen: true,
        }
    }

    async fn build(&self, clock: Arc<ManualClock>) -> Built {
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
impl Reopen for Opened {
    async fn reopen(&mut self) -> Handles {
        self.open().await
    }

    async fn open_another(&mut self) -> Option<Handles> {
        Some(self.open().await)
    }
}
