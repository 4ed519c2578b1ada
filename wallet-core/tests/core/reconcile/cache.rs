//! Damage of the cache, and a cache that fails.

use wallet_core::cache::BalanceCache;
use wallet_core::history::Backfill;
use wallet_core::ledger::{AccountKey, RaisedBy};
use wallet_core::store::LedgerStore;
use wallet_core::verify::reconcile::{Difference, Reconciler};
use wallet_core::{Balance, Timestamp};

use super::{Place, eur, key};

#[tokio::test]
async fn damage_of_the_cache_is_found() {
    let account = key(2);
    let place = Place::new().await;
    let balance = place.balance(2);
    let mut wrong = balance;
    wrong.counters.debits_posted += 3;
    place.cache.invalidate(&[account]).await.unwrap();
    place.cache.put(&[wrong]).await.unwrap();
    let found = Difference::CacheWrong {
        account,
        currency: eur(),
        version: balance.version,
        cached: balance.posted().minor - 3,
        posted: balance.posted().minor,
    };
    assert_eq!(place.found().await, [found]);

    // What is held, too.
    let mut wrong = balance;
    wrong.counters.debits_pending += 3;
    place.cache.invalidate(&[account]).await.unwrap();
    place.cache.put(&[wrong]).await.unwrap();
    assert_eq!(place.found().await[0].code(), "cache_wrong");

    let mut ahead = balance;
    ahead.version += 4;
    place.cache.put(&[ahead]).await.unwrap();
    let found = Difference::CacheAhead {
        account,
        cached: ahead.position(),
        ledger: balance.position(),
    };
    assert_eq!(place.found().await, [found]);

    // Cached effects that a restore has lost are no difference, because no reader
    // uses them.
    let by = RaisedBy::new("ops").unwrap();
    let raised = place.store.raise_epoch(Timestamp::EPOCH, &by).await;
    // All of history is in doubt, and no account has a new entry. The difference is
    // reported.
    let found = place.found().await;
    let missing = |one: &Difference| matches!(one, Difference::HistoryMissing { .. });
    assert!(found.len() == 4 && found.iter().all(missing), "{found:?}");
    let backfill = Backfill::new(&place.history, &*place.store);
    let mended = backfill.run(&mut |_| ()).await.unwrap();
    assert_eq!((mended.restored, mended.written), (4, 80));
    assert_eq!(place.found().await, []);
    let mut wrong = balance;
    wrong.epoch = raised.unwrap().epoch;
    wrong.counters.debits_posted += 3;
    place.cache.put(&[wrong]).await.unwrap();
    assert_eq!(place.found().await[0].code(), "cache_wrong");

    let mut stale = balance;
    stale.version -= 1;
    place.cache.invalidate(&[account]).await.unwrap();
    place.cache.put(&[stale]).await.unwrap();
    let report = place.report().await;
    assert!(report.is_clean());
    assert_eq!(report.cache.unwrap().stale, 1);
}

#[tokio::test]
async fn what_cannot_be_asked_is_an_error_and_no_difference() {
    let place = Place::new().await;
    let broken = MemoryCacheThatFails;
    let reconciler = Reconciler::new(&*place.store).with_cache(&broken);
    let error = reconciler.run(&mut |_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), "the cache: Unavailable: down");
}

#[derive(Debug)]
struct MemoryCacheThatFails;

#[async_trait::async_trait]
impl BalanceCache for MemoryCacheThatFails {
    async fn get(&self, _: &[AccountKey]) -> Result<Vec<Option<Balance>>, wallet_core::StoreError> {
        let kind = wallet_core::store::StoreErrorKind::Unavailable;
        Err(wallet_core::StoreError::new(kind, "down"))
    }

    async fn put(&self, _: &[Balance]) -> Result<(), wallet_core::StoreError> {
        Ok(())
    }

    async fn invalidate(&self, _: &[AccountKey]) -> Result<(), wallet_core::StoreError> {
        Ok(())
    }
}
