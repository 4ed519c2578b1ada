//! The whole test list of the port, with rows of an account under one key and spread over
//! several.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::history::HistoryStore;
use wallet_dynamo::DynamoSettings;
use wallet_testkit::history::{BuiltHistory, HistoryFactory, OpenHistory, account};

use crate::support::{Place, block_on};

#[derive(Debug)]
struct Guard {
    place: Place,
    settings: DynamoSettings,
}

#[async_trait]
impl OpenHistory for Guard {
    async fn open(&self) -> Option<Arc<dyn HistoryStore>> {
        Some(self.place.history(self.settings.clone()))
    }
}

async fn build(stripes: u8) -> BuiltHistory {
    let place = Place::new().await;
    let settings = (0..9).fold(place.settings(), |settings, number| {
        settings.spread(account(number), stripes)
    });
    let history = place.history(settings.clone());
    BuiltHistory::new(history, Guard { place, settings })
}

mod alone {
    use super::*;

    #[derive(Debug)]
    struct Dynamo;

    #[async_trait]
    impl HistoryFactory for Dynamo {
        async fn build(&self) -> BuiltHistory {
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
    impl HistoryFactory for Dynamo {
        async fn build(&self) -> BuiltHistory {
            build(3).await
        }

        fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
            block_on(future);
        }
    }

    wallet_testkit::history_conformance!(Dynamo);
}
