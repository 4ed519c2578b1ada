//! The whole test list of the port, with rows of an account under one key and spread over
//! several.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::history::HistoryStore;
use wallet_dynamo::DynamoSettings;
use wallet_testkit::history::account;
use wallet_testkit::{Built, Factory, ManualClock, Reopen};

use crate::support::{Place, block_on};

#[derive(Debug)]
struct Guard {
    place: Place,
    settings: DynamoSettings,
}

impl Guard {
    fn open(&self) -> Arc<dyn HistoryStore> {
        self.place.history(self.settings.clone())
    }
}

#[async_trait]
impl Reopen<dyn HistoryStore> for Guard {
    async fn reopen(&mut self) -> Option<Arc<dyn HistoryStore>> {
        Some(self.open())
    }

    async fn open_another(&mut self) -> Option<Arc<dyn HistoryStore>> {
        Some(self.open())
    }
}

async fn build(stripes: u8) -> Built<dyn HistoryStore> {
    let place = Place::new().await;
    let mut settings = place.settings();
    settings.spread = (0..9).map(|number| (account(number), stripes)).collect();
    let guard = Guard { place, settings };
    Built::new(guard.open(), guard)
}

mod alone {
    use super::*;

    #[derive(Debug)]
    struct Dynamo;

    #[async_trait]
    impl Factory<dyn HistoryStore> for Dynamo {
        fn can_reopen(&self) -> bool {
            true
        }

        async fn build(&self, _: Arc<ManualClock>) -> Built<dyn HistoryStore> {
            build(1).await
        }

        fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
            block_on(future);
        }
    }

    wallet_testkit::history_conformance!(Dynamo);
}

mod spread {
    use super::*;

    #[derive(Debug)]
    struct Dynamo;

    #[async_trait]
    impl Factory<dyn HistoryStore> for Dynamo {
        fn can_reopen(&self) -> bool {
            true
        }

        async fn build(&self, _: Arc<ManualClock>) -> Built<dyn HistoryStore> {
            build(3).await
        }

        fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
            block_on(future);
        }
    }

    wallet_testkit::history_conformance!(Dynamo);
}
