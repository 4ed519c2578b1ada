//! The cache beside the service: written by write-behind, filled by reads,
//! optional.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use wallet_core::cache::BalanceCache;
use wallet_core::ledger::{AccountKey, Epoch, Freshness, Position, SettlementShards, Version};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::Uuid7;
use wallet_core::service::Answer;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{Balance, StoreError};

use crate::service::world::{World, account_key, quiet, settle, transfer};

/// A balance cache that a test controls.
#[derive(Debug, Default)]
pub(crate) struct ScriptedCache {
    held: Mutex<BTreeMap<AccountKey, Balance>>,
    fails: AtomicBool,
    panics: AtomicBool,
    /// Whether it never answers a put.
    hangs: AtomicBool,
    gets: AtomicUsize,
    puts: AtomicUsize,
}

impl ScriptedCache {
    fn answer(&self) -> Result<(), StoreError> {
        assert!(!self.panics.load(Ordering::Relaxed), "as scripted");
        if self.fails.load(Ordering::Relaxed) {
            let context = "as scripted";
            return Err(StoreError::new(StoreErrorKind::Unavailable, context));
        }
        Ok(())
    }

    fn version(&self, number: u128) -> Option<Version> {
        let held = self.held.lock().unwrap();
        held.get(&account_key(number)).map(|one| one.version)
    }
}

#[async_trait]
impl BalanceCache for ScriptedCache {
    async fn get(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.answer()?;
        let held = self.held.lock().unwrap();
        Ok(accounts.iter().map(|key| held.get(key).copied()).collect())
    }

    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError> {
        self.puts.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.answer()?;
        let mut held = self.held.lock().unwrap();
        for balance in balances {
            let one = held.entry(balance.account).or_insert(*balance);
            if one.position() < balance.position() {
                *one = *balance;
            }
        }
        Ok(())
    }

    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError> {
        let mut held = self.held.lock().unwrap();
        held.retain(|key, _| !accounts.contains(key));
        Ok(())
    }
}

const fn at(version: Version) -> Position {
    Position::new(Epoch::FIRST, version)
}

async fn world() -> (World, Arc<ScriptedCache>) {
    let cache = Arc::new(ScriptedCache::default());
    let own: Arc<dyn BalanceCache> = Arc::<ScriptedCache>::clone(&cache);
    let world = World::built(quiet(), |builder| builder.cache(own)).await;
    (world, cache)
}

async fn submit(world: &World, text: &str, from: u128, to: u128) -> Answer {
    let answer = world
        .wallet
        .submit_raw(transfer(text, from, to))
        .await
        .unwrap();
    settle().await;
    answer
}

async fn posted(world: &World, number: u128, freshness: &Freshness) -> i128 {
    let balance = world.wallet.balance(account_key(number), freshness).await;
    balance.unwrap().unwrap().counters.posted()
}

fn reads(world: &World) -> usize {
    world.store.reads.lock().unwrap().len()
}

#[tokio::test]
async fn commits_are_written_through_and_read_without_the_ledger() {
    let (world, cache) = world().await;
    let answer = submit(&world, "pay", 1, 2).await;
    let versions: BTreeMap<_, _> = answer.outcome.positions().into_iter().collect();
    for (number, cents) in [(1, 9_900), (2, 10_100), (3, 10_000)] {
        assert_eq!(posted(&world, number, &Freshness::Cached).await, cents);
        let version = world.wallet.account(account_key(number)).await;
        assert_eq!(
            cache.version(number),
            Some(version.unwrap().unwrap().state.version)
        );
    }
    assert_eq!(
        cache.version(1),
        versions
            .get(&account_key(1))
            .map(|position| position.version)
    );
    assert_eq!(reads(&world), 3, "only those of this test");
    let stats = world.wallet.stats();
    assert_eq!((stats.cache_hits, stats.cache_misses), (3, 0));
}

#[tokio::test]
async fn a_popular_miss_reads_the_ledger_once() {
    let (world, cache) = world().await;
    cache.held.lock().unwrap().clear();
    world.store.read_gate.forget_permits(Semaphore::MAX_PERMITS);
    let readers = (0..50).map(|_| {
        let wallet = world.wallet.clone();
        tokio::spawn(async move { wallet.balance(account_key(1), &Freshness::Cached).await })
    });
    let readers: Vec<_> = readers.collect();
    settle().await;
    assert_eq!(reads(&world), 1);
    world.store.read_gate.add_permits(1);
    for reader in readers {
        assert_eq!(
            reader.await.unwrap().unwrap().unwrap().posted().minor,
            10_000
        );
    }
    settle().await;
    assert_eq!(posted(&world, 1, &Freshness::Cached).await, 10_000);
    assert_eq!(reads(&world), 1, "and it was kept");
}

#[tokio::test]
async fn whoever_waits_takes_over_from_a_reader_that_was_dropped() {
    let (world, cache) = world().await;
    cache.held.lock().unwrap().clear();
    world.store.read_gate.forget_permits(Semaphore::MAX_PERMITS);
    let read = |numbers: [u128; 2]| {
        let wallet = world.wallet.clone();
        let keys = numbers.map(account_key);
        tokio::spawn(async move { wallet.balances(&keys, &Freshness::Cached).await })
    };
    let first = read([1, 2]);
    settle().await;
    let second = read([2, 3]);
    settle().await;
    first.abort();
    world.store.read_gate.add_permits(10);
    let found = second.await.unwrap().unwrap();
    assert!(found.iter().all(Option::is_some));
    let reads = world.store.reads.lock().unwrap().clone();
    let keys = |numbers: &[u128]| {
        numbers
            .iter()
            .map(|one| account_key(*one))
            .collect::<Vec<_>>()
    };
    assert_eq!(reads, [keys(&[1, 2]), keys(&[3]), keys(&[2])]);
}

#[tokio::test]
async fn a_token_is_never_answered_with_less() {
    let (world, cache) = world().await;
    let old = cache.held.lock().unwrap()[&account_key(1)];
    let token = submit(&world, "pay", 1, 2).await.outcome.positions();
    cache.held.lock().unwrap().insert(account_key(1), old);
    assert_eq!(
        posted(&world, 1, &Freshness::Cached).await,
        10_000,
        "as it is kept"
    );
    let own = Freshness::AtLeast(token.clone());
    assert_eq!(posted(&world, 1, &own).await, 9_900);
    assert_eq!(posted(&world, 2, &own).await, 10_100);
    settle().await;
    assert_eq!(
        cache.version(1),
        token
            .iter()
            .find(|one| one.0 == account_key(1))
            .map(|one| one.1.version)
    );

    // Positions of another ledger, or of a ledger that has lost commits.
    let beyond = Freshness::AtLeast(vec![(account_key(1), at(1_000))]);
    let error = world.wallet.balance(account_key(1), &beyond).await;
    assert_eq!(error.unwrap_err().code(), "store_unavailable");
    let nobody = Freshness::AtLeast(vec![(account_key(77), at(1))]);
    assert!(
        world
            .wallet
            .balance(account_key(77), &nobody)
            .await
            .is_err()
    );
    assert_eq!(
        world.wallet.balance(account_key(77), &own).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_token_is_not_answered_by_a_read_that_began_before_it() {
    let (world, cache) = world().await;
    cache.held.lock().unwrap().clear();
    world.store.read_gate.forget_permits(Semaphore::MAX_PERMITS);
    // This reader has its answer in flight, as if it came from a server with
    // replication lag.
    let wallet = world.wallet.clone();
    let early =
        tokio::spawn(async move { wallet.balance(account_key(1), &Freshness::Cached).await });
    settle().await;
    let wallet = world.wallet.clone();
    let late = tokio::spawn(async move {
        let beyond = Freshness::AtLeast(vec![(account_key(1), at(1_000))]);
        wallet.balance(account_key(1), &beyond).await
    });
    settle().await;
    assert_eq!(reads(&world), 1, "it joined");
    world.store.read_gate.add_permits(10);
    assert!(early.await.unwrap().unwrap().is_some());
    assert!(late.await.unwrap().is_err(), "it asked again, itself");
    assert_eq!(reads(&world), 2);
}

#[tokio::test]
async fn the_latest_is_read_from_the_ledger() {
    let (world, cache) = world().await;
    let gets = cache.gets.load(Ordering::Relaxed);
    assert_eq!(posted(&world, 1, &Freshness::Strong).await, 10_000);
    assert_eq!(reads(&world), 1);
    assert_eq!(cache.gets.load(Ordering::Relaxed), gets);
}

#[tokio::test]
async fn without_a_cache_balances_are_read_all_the_same() {
    let world = World::new().await;
    let token = submit(&world, "pay", 1, 2).await.outcome.positions();
    for freshness in [
        Freshness::Cached,
        Freshness::AtLeast(token),
        Freshness::Strong,
    ] {
        assert_eq!(posted(&world, 1, &freshness).await, 9_900);
    }
    let keys = [account_key(2), account_key(77), account_key(2)];
    let found = world
        .wallet
        .balances(&keys, &Freshness::Cached)
        .await
        .unwrap();
    assert!(found[0].is_some() && found[1].is_none() && found[2] == found[0]);
    let beyond = Freshness::AtLeast(vec![(account_key(1), at(1_000))]);
    assert!(world.wallet.balance(account_key(1), &beyond).await.is_err());
}

#[tokio::test]
async fn a_cache_that_fails_is_done_without_and_caught_up_later() {
    for flag in [0, 1] {
        let (world, cache) = world().await;
        let broken = [&cache.fails, &cache.panics][flag];
        broken.store(true, Ordering::Relaxed);
        let token = submit(&world, "pay", 1, 2).await.outcome.positions();
        for freshness in [
            Freshness::Cached,
            Freshness::AtLeast(token),
            Freshness::Strong,
        ] {
            assert_eq!(posted(&world, 1, &freshness).await, 9_900);
        }
        assert!(world.wallet.stats().cache_failures > 0);
        broken.store(false, Ordering::Relaxed);
        settle().await;
        let all = submit(&world, "more", 3, 4).await;
        assert!(all.accepted().is_ok());
        assert_eq!(posted(&world, 3, &Freshness::Cached).await, 9_900);
    }
}

#[tokio::test]
async fn what_a_cache_did_not_take_for_long_is_dropped() {
    let (world, cache) = world().await;
    cache.fails.store(true, Ordering::Relaxed);
    // The clock jumps over every pause, so the time is soon over.
    submit(&world, "pay", 1, 2).await.accepted().unwrap();
    while world.wallet.stats().cache_dropped < 2 {
        settle().await;
    }
    cache.fails.store(false, Ordering::Relaxed);
    let puts = cache.puts.load(Ordering::Relaxed);
    settle().await;
    assert_eq!(cache.puts.load(Ordering::Relaxed), puts, "nothing is left");
}

#[tokio::test]
async fn a_cache_that_hangs_holds_nothing_up() {
    let (world, cache) = world().await;
    cache.hangs.store(true, Ordering::Relaxed);
    for number in 0..20 {
        submit(&world, &format!("pay {number}"), 1, 2)
            .await
            .accepted()
            .unwrap();
    }
    assert_eq!(
        posted(&world, 1, &Freshness::Cached).await,
        8_000,
        "from what waits"
    );
    world.wallet.shutdown().await;
    world.driver.await.unwrap();
}

#[tokio::test]
async fn what_waits_is_put_when_the_service_ends() {
    let (world, cache) = world().await;
    let task = world.submit(transfer("pay", 1, 2)).await;
    world.wallet.shutdown().await;
    let versions = task.await.unwrap().unwrap().outcome.positions();
    for (account, position) in versions {
        assert_eq!(cache.held.lock().unwrap()[&account].position(), position);
    }
}

#[tokio::test]
async fn what_the_host_committed_itself_is_written_through() {
    let (world, cache) = world().await;
    let request = transfer("own", 1, 2);
    let shards = SettlementShards::new();
    let prepared = PreparedRequest::new(request, &Uuid7, &shards).unwrap();
    let batch = Arc::new(Batch::new(vec![Arc::new(prepared)]));
    let committed = world.store.transact(batch).await.unwrap();
    let before = cache.version(1);
    world.wallet.after_commit(&committed.decided);
    settle().await;
    assert_eq!(cache.version(1), before.map(|version| version + 1));
    assert_eq!(posted(&world, 1, &Freshness::Cached).await, 9_900);
}

#[tokio::test]
async fn a_replay_puts_nothing_old_back() {
    let (world, cache) = world().await;
    submit(&world, "pay", 1, 2).await.accepted().unwrap();
    submit(&world, "more", 1, 2).await.accepted().unwrap();
    cache.held.lock().unwrap().clear();
    assert!(submit(&world, "pay", 1, 2).await.replayed);
    assert_eq!(cache.version(1), None);
}
