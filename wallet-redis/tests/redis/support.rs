//! Redis helpers for the tests.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use wallet_core::ledger::{AccountKey, Counters, Epoch, InLedger, Version};
use wallet_core::runtime::Backoff;
use wallet_core::{AccountId, Balance, Currency, LedgerId};
use wallet_redis::{Redis, RedisSettings};
use wallet_testkit::ManualClock;

/// Settings with waits that are long enough for a busy machine.
pub(crate) fn patient(url: impl Into<String>) -> RedisSettings {
    RedisSettings {
        budget: Duration::from_secs(8),
        connect_wait: Duration::from_secs(20),
        reconnect: Backoff::new(Duration::from_millis(5), Duration::from_millis(50)),
        ..RedisSettings::new(url)
    }
}

pub(crate) async fn open(settings: &RedisSettings) -> Redis {
    let redis = Redis::open(settings).await.unwrap();
    assert!(redis.is_up());
    redis
}

pub(crate) async fn open_with(settings: &RedisSettings, clock: Arc<ManualClock>) -> Redis {
    let redis = Redis::open_with_clock(settings, clock).await.unwrap();
    assert!(redis.is_up());
    redis
}

pub(crate) fn account(number: u128) -> AccountKey {
    let id = AccountId::new(Uuid::from_u128(number));
    InLedger::new(LedgerId::default(), id)
}

pub(crate) fn balance(account: AccountKey, version: Version) -> Balance {
    Balance {
        account,
        currency: Currency::iso("EUR").unwrap(),
        counters: Counters {
            credits_posted: i128::from(version),
            ..Counters::default()
        },
        epoch: Epoch::FIRST,
        version,
    }
}

/// Polls until the condition holds. The test runner ends a test that never finishes.
pub(crate) async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    while !is_so().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
