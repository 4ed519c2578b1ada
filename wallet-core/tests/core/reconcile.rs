//! Reconciliation finds each kind of difference. Where there is none, it reports
//! none, also during concurrent commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;
use wallet_core::cache::BalanceCache;
use wallet_core::history::{Backfill, HistoryLine, HistoryQuery, HistoryStore, lines_of};
use wallet_core::ledger::{AccountKey, Epoch, InLedger, RaisedBy};
use wallet_core::memory::{MemoryCache, MemoryHistory, MemoryStore, Tables};
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::verify::reconcile::{Difference, Reconciler, Reconciliation};
use wallet_core::{
    AccountId, Balance, Command, Currency, EntryQuery, IdempotencyKey, LedgerId, Leg, Money,
    OpenAccount, Owner, PlaceHold, Policy, PostTransfer, Release, Request, SystemClock, Timestamp,
    Wallet,
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
    let opened = wallet.submit(request).await.unwrap();
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
            wallet.submit(request).await.unwrap().accepted().unwrap();
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

#[tokio::test]
async fn damage_of_the_ledger_is_found() {
    let (account, currency) = (key(2), eur());
    let balance = Place::new().await.balance(2).posted();

    let place = Place::new().await;
    place.damage(|tables| {
        let state = &mut tables.accounts.get_mut(&account).unwrap().state;
        state.counters.credits_posted += 7;
    });
    let posted = balance + 7;
    let found = place.found().await;
    assert_eq!(
        found,
        [
            Difference::NotEven {
                ledger: LedgerId::default(),
                currency,
                posted: 7,
            },
            Difference::BalanceWrong {
                account,
                currency,
                posted,
                entries: balance,
            },
            Difference::CacheWrong {
                account,
                currency,
                version: place.balance(2).version,
                cached: balance,
                posted,
            },
        ]
    );

    let place = Place::new().await;
    place.damage(|tables| drop(tables.entries.get_mut(&account).unwrap().drain(4..7)));
    let missing = |first, last| Difference::EntriesMissing {
        account,
        first,
        last,
    };
    assert_eq!(place.found().await, [missing(5, 7)]);
    place.damage(|tables| tables.entries.get_mut(&account).unwrap().truncate(10));
    assert_eq!(place.found().await, [missing(5, 7), missing(14, 20)]);

    let changes: [fn(&mut wallet_core::Entry); 3] = [
        |entry| entry.balance_after += 1,
        |entry| entry.version = 0,
        |entry| entry.created_at = Timestamp::from_micros(0),
    ];
    for change in changes {
        let place = Place::new().await;
        place.damage(|tables| change(&mut tables.entries.get_mut(&account).unwrap()[9]));
        let found = place.found().await;
        let wrong = Difference::EntryWrong {
            account,
            sequence: 10,
        };
        assert!(found.contains(&wrong), "{found:?}");
    }

    let place = Place::new().await;
    place.damage(|tables| tables.transfers.clear());
    let found = place.found().await;
    assert_eq!(found.len(), 4);
    let all = found.iter();
    assert!(
        all.clone().all(|one| one.code() == "unreadable"),
        "{found:?}"
    );
}

#[tokio::test]
async fn held_money_that_the_account_does_not_say_is_found() {
    let place = Place::new().await;
    let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&place.store));
    let wallet = wallet.clock(place.clock.clone()).spawn().unwrap();
    let hundred = Money::minor(100, eur()).unwrap();
    let hold = PlaceHold::new(id(2), id(3), hundred)
        .with_id(wallet_core::HoldId::new(Uuid::from_u128(700)));
    let request = Request::new(IdempotencyKey::parse("test", "hold").unwrap(), hold);
    wallet.submit(request).await.unwrap().accepted().unwrap();
    place.cache.invalidate(&[key(2), key(3)]).await.unwrap();
    assert_eq!(place.found().await, []);

    place.damage(|tables| {
        let state = &mut tables.accounts.get_mut(&key(2)).unwrap().state;
        state.counters.debits_pending = 0;
    });
    let found = place.found().await;
    let [Difference::PendingWrong { sums }] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((sums.debits_pending, sums.debits_held), (0, 100));
    assert_eq!((sums.account, sums.holds), (key(2), 1));
    let text = found[0].to_string();
    assert!(text.contains("0.00 is held to be paid"), "{text}");
    assert!(
        text.contains("its 1 open holds say 1.00 and 0.00"),
        "{text}"
    );

    // A missing hold leaves both of its accounts with pending amounts that no hold
    // explains.
    place.damage(|tables| tables.holds.clear());
    let found = place.found().await;
    let codes: Vec<_> = found
        .iter()
        .map(|one| (one.code(), one.account()))
        .collect();
    assert_eq!(codes, [("pending_wrong", Some(key(3)))]);
}

#[tokio::test]
async fn damage_of_history_is_found() {
    let account = key(2);
    let place = Place::new().await;
    place.lose(2, 3..=3).await;
    place.lose(2, 8..=11).await;
    let missing = |first, last| Difference::HistoryMissing {
        account,
        first,
        last,
    };
    assert_eq!(place.found().await, [missing(3, 3), missing(8, 11)]);

    // Expired lines are no difference. Missing lines that cannot have expired are
    // one.
    let lines = place.lines(2).await;
    let until = lines[7].entry.created_at;
    let report = place.reconciler().with_expired_before(until);
    let report = report.run(&mut |_| ()).await.unwrap();
    assert_eq!(report.differences, [missing(8, 11)]);
    assert_eq!(report.history.unwrap().expired, 1);

    let changes: [fn(&mut HistoryLine); 4] = [
        |line| line.entry.balance_after += 1,
        |line| line.code += 1,
        |line| line.currency = Currency::iso("USD").unwrap(),
        |line| line.reference = Some(wallet_core::Reference::new("r").unwrap()),
    ];
    for change in changes {
        let mut place = Place::new().await;
        let mut lines = place.lines(2).await;
        change(&mut lines[4]);
        place.history = MemoryHistory::new();
        place.history.append(&lines, &[]).await.unwrap();
        let wrong = Difference::HistoryWrong {
            account,
            sequence: 5,
        };
        assert_eq!(place.found().await, [wrong]);
    }

    let place = Place::new().await;
    let mut more = lines.last().unwrap().clone();
    more.entry.sequence += 1;
    place.history.append(&[more], &[]).await.unwrap();
    let ahead = Difference::HistoryAhead {
        account,
        history: 21,
        ledger: 20,
    };
    assert_eq!(place.found().await, [ahead]);
}

#[tokio::test]
async fn a_history_that_is_behind_is_reported_and_a_difference_only_where_it_is_due() {
    let mut place = Place::new().await;
    let lines = place.lines(2).await;
    place.history = MemoryHistory::new();
    for number in [1, 3, 4] {
        let lines = place.lines(number).await;
        place.history.append(&lines, &[]).await.unwrap();
    }
    place.history.append(&lines[..15], &[]).await.unwrap();
    let since = lines[15].entry.created_at;
    let report = place.report().await;
    assert!(report.is_clean());
    let tally = report.history.unwrap();
    assert_eq!((tally.behind, tally.behind_since), (5, Some(since)));

    for (due, differs) in [(since, false), (place.clock.now(), true)] {
        let reconciler = place.reconciler().with_history_due(due);
        for reconciler in [reconciler.clone(), reconciler.with_last(2)] {
            let report = reconciler.run(&mut |_| ()).await.unwrap();
            assert_eq!(!report.is_clean(), differs);
            let all = report.differences.iter();
            assert!(all.clone().all(|one| one.code() == "history_behind"));
        }
    }
}

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
        cached: balance.posted() - 3,
        posted: balance.posted(),
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

#[tokio::test]
async fn a_history_that_lost_everything_is_behind() {
    let place = Place::new().await;
    for number in 1..=4 {
        place.lose(number, 1..=20).await;
    }
    let report = place.report().await;
    assert!(report.is_clean());
    let json = report.json();
    assert_eq!(json["history"]["behind"], 80);
    assert_eq!(json["sums"][0]["posted"], "0.00");
}

/// Holds money of an account for a moment.
async fn hold_and_release(wallet: &Wallet, caller: u128, number: u128) {
    let (from, name) = (number % ACCOUNTS + 1, format!("{caller}-{number}"));
    let hold = wallet_core::HoldId::new(Uuid::from_u128(caller * 1_000_000 + number + 1_000));
    let one = Money::minor(1, eur()).unwrap();
    let place = PlaceHold::new(id(from), id(from % ACCOUNTS + 1), one).with_id(hold);
    let place: Command = place.into();
    for (step, command) in [("hold", place), ("release", Release::new(hold).into())] {
        let key = IdempotencyKey::parse("test", &format!("{step}-{name}")).unwrap();
        let answer = wallet.submit(Request::new(key, command)).await.unwrap();
        answer.accepted().unwrap();
    }
}

/// Payments, holds, a projection and a cache run during repeated reconciliations.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn traffic_looks_like_no_difference() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let cache = MemoryCache::new(Arc::clone(&clock), Duration::from_secs(60), 1_000);
    let cache = Arc::new(cache);
    let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&store));
    let wallet = wallet
        .cache(Arc::<MemoryCache>::clone(&cache))
        .spawn()
        .unwrap();
    accounts(&wallet).await;
    let history = MemoryHistory::new();
    let is_done = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for caller in 0..3 {
        let wallet = wallet.clone();
        tasks.push(tokio::spawn(async move {
            for number in 0..2_000 {
                let from = number % ACCOUNTS + 1;
                let request = pay(&format!("{caller}-{number}"), from, from % ACCOUNTS + 1);
                wallet.submit(request).await.unwrap().accepted().unwrap();
                if number % 4 == 0 {
                    hold_and_release(&wallet, caller, number).await;
                }
            }
        }));
    }
    let projecting = {
        let (history, store) = (history.clone(), Arc::clone(&store));
        let is_done = Arc::clone(&is_done);
        tokio::spawn(async move {
            while !is_done.load(Ordering::Relaxed) {
                let backfill = Backfill::new(&history, &*store);
                backfill.run(&mut |_| ()).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    };
    let (mut looks, mut same, mut behind, mut cached) = (0, 0, 0, 0);
    while tasks.iter().any(|task| !task.is_finished()) || looks < 20 {
        let reconciler = Reconciler::new(&*store).with_history(&history);
        let report = reconciler.with_cache(&*cache).run(&mut |_| ()).await;
        let report = report.unwrap();
        assert_eq!(report.differences, []);
        let tally = report.history.unwrap();
        same += tally.same;
        behind += tally.behind;
        cached += report.cache.unwrap().same + report.cache.unwrap().stale;
        looks += 1;
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    is_done.store(true, Ordering::Relaxed);
    projecting.await.unwrap();
    assert!(
        same > 0 && behind > 0 && cached > 0,
        "{same} {behind} {cached}"
    );
    let report = Reconciler::new(&*store).run(&mut |_| ()).await.unwrap();
    assert_eq!(report.entries, 12_000);
}
