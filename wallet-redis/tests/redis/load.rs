//! Two services on one ledger with one cache, under load.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use wallet_core::cache::BalanceCache;
use wallet_core::ledger::{AccountKey, Epoch, Freshness, Position, RecordKey};
use wallet_core::memory::MemoryStore;
use wallet_core::store::LedgerStore;
use wallet_core::{
    Balance, Command, Currency, IdempotencyKey, LedgerId, Leg, Money, OpenAccount, Outcome, Owner,
    Policy, PostTransfer, Request, SystemClock, Wallet,
};
use wallet_redis::{Redis, RedisSettings};
use wallet_testkit::violations;

use crate::support::account;

const ACCOUNTS: u128 = 16;
const BANK: u128 = 1_000;
const CALLERS: u64 = 8;

fn leg(from: u128, to: u128, cents: i128) -> Leg {
    let money = Money::minor(cents, Currency::iso("EUR").unwrap()).unwrap();
    Leg::new(account(from).id, account(to).id, money)
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse("test", text).unwrap()
}

fn all() -> Vec<AccountKey> {
    (1..=ACCOUNTS).map(account).collect()
}

/// The services and callers under load.
#[derive(Debug)]
pub(crate) struct Load {
    store: Arc<MemoryStore>,
    pub(crate) redis: [Redis; 2],
    wallets: [Wallet; 2],
    stop: AtomicBool,
    transfers: AtomicU64,
    reads: AtomicU64,
    acknowledged: Mutex<Vec<(RecordKey, Arc<Outcome>)>>,
}

impl Load {
    pub(crate) async fn start(settings: &RedisSettings) -> (Arc<Self>, Vec<JoinHandle<()>>) {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let mut redis = Vec::new();
        let mut wallets = Vec::new();
        for _ in 0..2 {
            let one = Redis::open(settings).await.unwrap();
            let builder = Wallet::builder(store.clone()).cache(Arc::new(one.cache()));
            wallets.push(builder.spawn().unwrap());
            redis.push(one);
        }
        let open = |number: u128| {
            let currency = Currency::iso("EUR").unwrap();
            OpenAccount::new(Owner::new("ada").unwrap(), currency).with_id(account(number).id)
        };
        let mut commands: Vec<Command> = vec![open(BANK).with_policy(Policy::Unlimited).into()];
        for number in 1..=ACCOUNTS {
            commands.push(open(number).into());
            let fund = PostTransfer::new(vec![leg(BANK, number, 1_000_000_000)]);
            commands.push(fund.into());
        }
        let set_up = wallets[0].submit(Request::of_many(key("set up"), commands));
        set_up.await.unwrap();
        let load = Arc::new(Self {
            store,
            redis: redis.try_into().unwrap(),
            wallets: wallets.try_into().unwrap(),
            stop: AtomicBool::new(false),
            transfers: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            acknowledged: Mutex::default(),
        });
        let mut tasks = Vec::new();
        for caller in 0..CALLERS {
            tasks.push(tokio::spawn(Arc::clone(&load).write(caller)));
            tasks.push(tokio::spawn(Arc::clone(&load).read(caller)));
        }
        (load, tasks)
    }

    fn wallet(&self, caller: u64) -> &Wallet {
        &self.wallets[usize::from(caller % 2 == 1)]
    }

    /// Makes transfers. Each must succeed, and its caller must then see it
    /// (read-your-writes).
    async fn write(self: Arc<Self>, caller: u64) {
        for round in 0_u64.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let from = u128::from(caller + round) % ACCOUNTS + 1;
            let to = u128::from(caller * 3 + round * 7) % ACCOUNTS + 1;
            let to = if to == from { from % ACCOUNTS + 1 } else { to };
            let key = key(&format!("{caller}-{round}"));
            let record = key.record_key(LedgerId::default());
            let pay = PostTransfer::new(vec![leg(from, to, 7)]);
            let answer = self.wallet(caller).submit_raw(Request::new(key, pay)).await;
            let answer = answer.expect("a transfer is carried out");
            answer.accepted().expect("there is money");
            let own = answer.outcome.positions();
            self.acknowledged
                .lock()
                .unwrap()
                .push((record, answer.outcome));
            // Reads at the other service, not at the one that wrote.
            let other = self.wallet(caller + 1);
            let freshness = Freshness::AtLeast(own.clone());
            for (account, position) in own {
                let balance = other.balance(account, &freshness).await.unwrap().unwrap();
                assert!(balance.position() >= position, "its own write");
            }
            self.transfers.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    }

    /// Reads with the token of all earlier reads. The result is never older than that, and
    /// never newer than a later read of the ledger.
    async fn read(self: Arc<Self>, caller: u64) {
        let mut seen: BTreeMap<AccountKey, Position> = BTreeMap::new();
        while !self.stop.load(Ordering::Relaxed) {
            let token = seen.iter().map(|(key, position)| (*key, *position));
            let token = Freshness::AtLeast(token.collect());
            let found = self.wallet(caller).balances(&all(), &token).await.unwrap();
            let ledger = self.store.accounts(&all()).await.unwrap();
            for (found, ledger) in found.into_iter().zip(ledger) {
                let ledger = Balance::of(&ledger.unwrap().state, Epoch::FIRST);
                let found = found.unwrap();
                assert!(found.version <= ledger.version, "newer than the ledger");
                let last = seen.insert(found.account, found.position());
                assert!(Some(found.position()) >= last, "older than before");
            }
            self.reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    }

    /// Waits until this many more transfers and reads were made. A call that hangs shows by
    /// then.
    pub(crate) async fn go_on(&self, count: u64) {
        let transfers = self.transfers.load(Ordering::Relaxed) + count;
        let reads = self.reads.load(Ordering::Relaxed) + count.div_ceil(8);
        let is_short = |counter: &AtomicU64, least| counter.load(Ordering::Relaxed) < least;
        while is_short(&self.transfers, transfers) || is_short(&self.reads, reads) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// Waits until both services have a connection to Redis again.
    pub(crate) async fn until_up(&self) {
        while !self.redis.iter().all(Redis::is_up) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// Waits until both services have no connection to Redis.
    pub(crate) async fn until_down(&self) {
        while self.redis.iter().any(Redis::is_up) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// Ends all work. Then checks that everything is correct.
    pub(crate) async fn end(&self, tasks: Vec<JoinHandle<()>>) {
        self.stop.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.unwrap();
        }
        for wallet in &self.wallets {
            wallet.shutdown().await;
        }
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        assert!(!acknowledged.is_empty());
        let store: &MemoryStore = &self.store;
        let found = violations(store, Some(store), &acknowledged).await.unwrap();
        assert!(found.is_empty(), "violated: {found:#?}");
        // Every balance in the cache was at some time the balance in the ledger.
        let Ok(cached) = self.redis[0].cache().get(&all()).await else {
            return;
        };
        let ledger = self.store.accounts(&all()).await.unwrap();
        for (cached, ledger) in cached.into_iter().zip(ledger) {
            let ledger = Balance::of(&ledger.unwrap().state, Epoch::FIRST);
            if let Some(cached) = cached {
                assert!(cached.version <= ledger.version);
                assert!(cached.version < ledger.version || cached == ledger);
            }
        }
    }
}
