//! A restore to an earlier state while processes run: the worked example of ADR 17,
//! for caches and tokens.

use std::sync::Arc;
use std::time::Duration;

use wallet_core::cache::BalanceCache;
use wallet_core::ledger::{Epoch, Freshness, Position, RaisedBy};
use wallet_core::memory::{MemoryCache, Tables};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::{Balance, Wallet};

use crate::service::world::{World, account_key, quiet, settle, transfer};

const MINUTE: Duration = Duration::from_secs(60);

struct Restored {
    world: World,
    cache: Arc<MemoryCache>,
    backup: Tables,
    /// The balances of account 1 and 2 before the loss.
    lost: [Balance; 2],
}

/// A backup, two payments from account 1 to account 2, and their loss.
async fn restored() -> Restored {
    let mut cache = None;
    let world = World::built(quiet(), |builder| builder).await;
    let own = MemoryCache::new(world.clock.clone(), 60 * MINUTE, 1_000);
    let own = Arc::clone(cache.get_or_insert(Arc::new(own)));
    let wallet = at_work(&world, &own);
    let backup = world.store.inner.shared().tables().clone();
    world.clock.sleep(MINUTE).await;
    for text in ["first", "second"] {
        let paid = wallet.submit_raw(transfer(text, 1, 2)).await.unwrap();
        paid.accepted().unwrap();
    }
    settle().await;
    let cached = own.get(&[account_key(1), account_key(2)]).await.unwrap();
    Restored {
        lost: [cached[0].unwrap(), cached[1].unwrap()],
        cache: own,
        backup,
        world,
    }
}

/// A process on the books and the cache.
fn at_work(world: &World, cache: &Arc<MemoryCache>) -> Wallet {
    let builder = Wallet::builder(world.store.clone()).cache(Arc::<MemoryCache>::clone(cache));
    let builder = builder.clock(world.clock.clone()).settings(quiet());
    builder.spawn().unwrap()
}

impl Restored {
    /// Restores the ledger, and raises the epoch.
    async fn restore(&self) -> Epoch {
        *self.world.store.inner.shared().tables() = self.backup.clone();
        let to = self.world.clock.now().saturating_sub(MINUTE);
        let by = RaisedBy::new("ops").unwrap();
        self.world.store.raise_epoch(to, &by).await.unwrap().epoch
    }
}

async fn read(wallet: &Wallet, number: u128, freshness: &Freshness) -> Balance {
    let balance = wallet.balance(account_key(number), freshness).await;
    balance.unwrap().unwrap()
}

#[tokio::test]
async fn a_cached_balance_of_lost_effects_is_never_returned_again() {
    let books = restored().await;
    let before = at_work(&books.world, &books.cache);
    assert_eq!(read(&before, 2, &Freshness::Cached).await, books.lost[1]);
    assert_eq!(books.lost[1].posted().minor, 10_200);
    let epoch = books.restore().await;
    // A new process queries the epoch first. A running one queries it from time to
    // time.
    let after = at_work(&books.world, &books.cache);
    let answer = read(&after, 2, &Freshness::Cached).await;
    assert_eq!((answer.posted().minor, answer.epoch), (10_000, epoch));
    assert!(answer.version < books.lost[1].version);
    settle().await;
    assert_eq!(read(&before, 1, &Freshness::Cached).await, books.lost[0]);
    books.world.clock.sleep(Duration::from_secs(5)).await;
    assert_eq!(
        read(&before, 1, &Freshness::Cached).await.posted().minor,
        10_000
    );
    settle().await;
    let cached = books.cache.get(&[account_key(1), account_key(2)]).await;
    let cached: Vec<_> = cached.unwrap().into_iter().flatten().collect();
    assert!(cached.iter().all(|one| one.epoch == epoch), "{cached:?}");
}

#[tokio::test]
async fn a_commit_after_a_restore_replaces_a_cached_balance_of_a_higher_version() {
    let books = restored().await;
    let wallet = at_work(&books.world, &books.cache);
    let epoch = books.restore().await;
    let answer = wallet.submit_raw(transfer("third", 1, 3)).await.unwrap();
    settle().await;
    let position = answer.outcome.positions();
    let position = position
        .iter()
        .find(|one| one.0 == account_key(1))
        .unwrap()
        .1;
    assert_eq!(position.epoch, epoch);
    assert!(position.version < books.lost[0].version);
    let cached = books.cache.get(&[account_key(1)]).await.unwrap()[0].unwrap();
    assert_eq!(
        (cached.position(), cached.posted().minor),
        (position, 9_900)
    );
    // The process knows the epoch from its commit, and needs no query.
    assert_eq!(read(&wallet, 1, &Freshness::Cached).await, cached);
    assert_eq!(
        read(&wallet, 2, &Freshness::Cached).await.posted().minor,
        10_000
    );
}

#[tokio::test]
async fn a_token_of_lost_effects_is_satisfied_by_a_later_epoch_and_by_nothing_else() {
    let books = restored().await;
    let token = |balance: &Balance| Freshness::AtLeast(vec![(balance.account, balance.position())]);
    let own = token(&books.lost[0]);
    *books.world.store.inner.shared().tables() = books.backup.clone();
    let behind = at_work(&books.world, &books.cache);
    // The epoch is not raised: the ledger is behind the answer.
    books.cache.invalidate(&[account_key(1)]).await.unwrap();
    let refused = behind.balance(account_key(1), &own).await.unwrap_err();
    assert_eq!(refused.code(), "store_unavailable");
    let epoch = books.restore().await;
    let wallet = at_work(&books.world, &books.cache);
    let answer = read(&wallet, 1, &own).await;
    assert_eq!((answer.posted().minor, answer.epoch), (10_000, epoch));
    // A missing account is an answer, because the restore has lost it.
    let gone = Position::new(Epoch::FIRST, 3);
    let gone = Freshness::AtLeast(vec![(account_key(77), gone)]);
    assert_eq!(wallet.balance(account_key(77), &gone).await.unwrap(), None);
    // A reader that has seen the new epoch never gets a balance of the old one.
    let ahead = Epoch::new(epoch.number() + 1).unwrap();
    let ahead = Freshness::AtLeast(vec![(account_key(1), Position::new(ahead, 1))]);
    assert!(wallet.balance(account_key(1), &ahead).await.is_err());
}
