//! Concurrent writers, readers, expiry and a cache that is emptied.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wallet_core::cache::BalanceCache;
use wallet_core::ledger::{AccountKey, Epoch, Freshness, Position};
use wallet_core::memory::{MemoryCache, MemoryStore};
use wallet_core::store::LedgerStore;
use wallet_core::{Balance, Command, Policy, Request, SystemClock, Wallet};

use crate::service::world::{account_key, key, leg, open, quiet, transfer};

const ACCOUNTS: u128 = 6;
const TRANSFERS: u128 = 300;

async fn books(store: Arc<MemoryStore>, cache: Arc<dyn BalanceCache>) -> Wallet {
    let builder = Wallet::builder(store).cache(cache).settings(quiet());
    let wallet = builder.spawn().unwrap();
    let mut commands: Vec<Command> = vec![open(99).with_policy(Policy::Unlimited).into()];
    for number in 1..=ACCOUNTS {
        commands.push(open(number).into());
        let fund = wallet_core::PostTransfer::new(vec![leg(99, number, 1_000_000)]);
        commands.push(fund.into());
    }
    let set_up = Request::of_many(key("set up"), commands);
    wallet.submit_raw(set_up).await.unwrap().accepted().unwrap();
    wallet
}

/// Reads with the token of all earlier reads and writes. The answer must not be
/// older than the token, or newer than a ledger read after it.
async fn read(wallet: Wallet, store: Arc<MemoryStore>, stop: Arc<AtomicBool>) {
    let mut seen: BTreeMap<AccountKey, Position> = BTreeMap::new();
    let mut rounds = 0_u64;
    while !stop.load(Ordering::Relaxed) || rounds < 20 {
        rounds += 1;
        let keys: Vec<_> = (1..=ACCOUNTS).map(account_key).collect();
        let token = seen
            .iter()
            .map(|(key, position)| (*key, *position))
            .collect();
        let freshness = match rounds % 3 {
            0 => Freshness::Cached,
            1 => Freshness::AtLeast(token),
            _ => Freshness::Strong,
        };
        let found = wallet.balances(&keys, &freshness).await.unwrap();
        let ledger = store.accounts(&keys).await.unwrap();
        for (found, ledger) in found.into_iter().zip(ledger) {
            let (found, ledger) = (
                found.unwrap(),
                Balance::of(&ledger.unwrap().state, Epoch::FIRST),
            );
            assert!(
                found.version <= ledger.version,
                "{found:?}: newer than the ledger"
            );
            if found.version == ledger.version {
                assert_eq!(found, ledger);
            }
            let last = seen.entry(found.account).or_default();
            if freshness != Freshness::Cached {
                assert!(found.position() >= *last, "{found:?}: older than {last}");
            }
            *last = (*last).max(found.position());
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_is_kept_by_readers_of_two_processes() {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    // The life is so short that balances expire all the time, and the cache is too
    // small for all.
    let cache = MemoryCache::new(Arc::new(SystemClock), Duration::from_micros(300), 5);
    let cache: Arc<dyn BalanceCache> = Arc::new(cache);
    let one = books(Arc::clone(&store), Arc::clone(&cache)).await;
    let builder = Wallet::builder(store.clone()).cache(Arc::clone(&cache));
    let two = builder.settings(quiet()).spawn().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for wallet in [&one, &two, &one, &two] {
        let (wallet, store, stop) = (wallet.clone(), Arc::clone(&store), Arc::clone(&stop));
        readers.push(tokio::spawn(read(wallet, store, stop)));
    }
    let flusher = tokio::spawn({
        let (cache, stop) = (Arc::clone(&cache), Arc::clone(&stop));
        async move {
            while !stop.load(Ordering::Relaxed) {
                let keys: Vec<_> = (1..=ACCOUNTS).map(account_key).collect();
                cache.invalidate(&keys).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let mut writers = Vec::new();
    for (number, wallet) in [one.clone(), two.clone()].into_iter().enumerate() {
        writers.push(tokio::spawn(async move {
            for round in 0..TRANSFERS {
                let (from, to) = (round % ACCOUNTS + 1, (round + 1) % ACCOUNTS + 1);
                let text = format!("{number}-{round}");
                let answer = wallet.submit_raw(transfer(&text, from, to)).await.unwrap();
                let own = answer.outcome.positions();
                let (account, position) = own[0];
                let freshness = Freshness::AtLeast(own);
                let balance = wallet.balance(account, &freshness).await.unwrap().unwrap();
                assert!(balance.position() >= position, "its own write");
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    flusher.await.unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
    let stats = [one.stats(), two.stats()];
    assert!(stats.iter().all(|stats| stats.cache_hits > 0), "{stats:?}");
}
