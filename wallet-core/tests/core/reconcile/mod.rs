//! Reconciliation finds each kind of difference. Where there is none, it reports
//! none, also during concurrent commits.

mod cache;
mod history;
mod ledger;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use wallet_core::cache::BalanceCache;
use wallet_core::history::{Backfill, HistoryLine, HistoryQuery, HistoryStore, lines_of};
use wallet_core::ledger::{AccountKey, Epoch, InLedger};
use wallet_core::memory::{MemoryCache, MemoryHistory, MemoryStore, Tables};
use wallet_core::store::LedgerStore;
use wallet_core::verify::reconcile::{Difference, Reconciler, Reconciliation};
use wallet_core::{
    AccountId, Balance, Currency, EntryQuery, IdempotencyKey, LedgerId, Leg, Money, OpenAccount,
    Owner, Policy, PostTransfer, Request, Timestamp, Wallet,
};
use wallet_testkit::ManualClock;

const ACCOUNTS: u128 = 5;

struct Place {
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    history: MemoryHistory,
    cache: MemoryCache,
}

fn eur() -> Currency {
    Currency::iso("EUR").unwrap()
}

fn id(number: u128) -> AccountId {
    AccountId::new(Uuid::from_u128(number))
}

fn key(number: u128) -> AccountKey {
    InLedger::new(LedgerId::default(), id(number))
}

fn pay(name: &str, from: u128, to: u128) -> Request {
    let one = Money::minor(1, eur()).unwrap();
    let transfer = PostTransfer::new(vec![Leg::new(id(from), id(to), one)]);
    Request::new(IdempotencyKey::parse("test", name).unwrap(), transfer)
}

async fn accounts(wallet: &Wallet) {
    let open = |number| {
        let owner = Owner::new("somebody").unwrap();
        let open = OpenAccount::new(owner, eur()).with_id(id(number));
        open.with_policy(Policy::Unlimited).into()
    };
    let key = IdempotencyKey::parse("test", "open").unwrap();
    let request = Request::of_many(key, (1..=ACCOUNTS).map(open).collect());
    let opened = wallet.submit_raw(request).await.unwrap();
    opened.accepted().unwrap();
}

impl Place {
    /// Five accounts. The first four have twenty entries each, all in history and
    /// in the cache.
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let cache = MemoryCache::new(clock.clone(), Duration::from_secs(60), 1_000);
        let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&store));
        let wallet = wallet.clock(clock.clone()).spawn().unwrap();
        accounts(&wallet).await;
        for number in 0..40 {
            clock.advance(Duration::from_micros(10));
            let from = number % 4 + 1;
            let request = pay(&number.to_string(), from, from % 4 + 1);
            wallet
                .submit_raw(request)
                .await
                .unwrap()
                .accepted()
                .unwrap();
        }
        let place = Self {
            clock,
            store,
            history: MemoryHistory::new(),
            cache,
        };
        let backfill = Backfill::new(&place.history, &*place.store);
        backfill.run(&mut |_| ()).await.unwrap();
        for number in 1..=4 {
            place.cache.put(&[place.balance(number)]).await.unwrap();
        }
        place
    }

    fn balance(&self, number: u128) -> Balance {
        let tables = self.store.shared().tables();
        Balance::of(&tables.accounts[&key(number)].state, Epoch::FIRST)
    }

    fn damage(&self, damage: impl FnOnce(&mut Tables)) {
        damage(&mut self.store.shared().tables());
    }

    fn reconciler(&self) -> Reconciler<'_> {
        let reconciler = Reconciler::new(&*self.store);
        reconciler
            .with_history(&self.history)
            .with_cache(&self.cache)
    }

    async fn report(&self) -> Reconciliation {
        self.reconciler().run(&mut |_| ()).await.unwrap()
    }

    /// The differences.
    async fn found(&self) -> Vec<Difference> {
        let report = self.report().await;
        assert_eq!(report.is_clean(), report.differences.is_empty());
        assert_eq!(report.json()["clean"], report.is_clean());
        report.differences
    }

    /// Removes lines of history.
    async fn lose(&self, number: u128, sequences: std::ops::RangeInclusive<i64>) {
        let query = HistoryQuery::first(key(number), u32::MAX);
        let mut rows = self.history.page(&query, &[]).await.unwrap().rows;
        rows.retain(|row| sequences.contains(&row.line.entry.sequence));
        let at = Timestamp::from_micros(0);
        self.history.expire(&rows, at).await.unwrap();
        assert_eq!(self.history.forget(at), rows.len());
    }

    async fn lines(&self, number: u128) -> Vec<HistoryLine> {
        let query = EntryQuery::first(key(number), u32::MAX);
        let entries = self.store.entries(&query).await.unwrap();
        lines_of(&*self.store, &entries).await.unwrap()
    }
}

#[tokio::test]
async fn where_nothing_differs_nothing_is_found() {
    let place = Place::new().await;
    let mut seen = Vec::new();
    let reconciler = place.reconciler();
    let report = reconciler.run(&mut |progress| seen.push(progress)).await;
    let report = report.unwrap();
    assert_eq!(report.differences, []);
    assert_eq!((report.accounts, report.entries), (5, 80));
    let history = report.history.unwrap();
    assert_eq!((history.same, history.behind, history.expired), (80, 0, 0));
    let cache = report.cache.unwrap();
    assert_eq!((cache.same, cache.stale, cache.absent), (4, 0, 1));
    let last = seen.last().unwrap();
    assert_eq!((last.done, last.total), (5, Some(5)));
    let text = report.to_string();
    assert!(text.contains("EUR: 5 accounts add up to 0.00"), "{text}");
    assert!(text.ends_with("nothing differs\n"), "{text}");
    let few = place.reconciler().with_last(3).run(&mut |_| ()).await;
    let few = few.unwrap();
    assert!(few.is_clean());
    assert_eq!((few.entries, few.history.unwrap().same), (12, 12));
}
