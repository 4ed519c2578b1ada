//! A wallet with a history that is behind, has missing rows, fails or never
//! answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::history::{
    Backfill, HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow,
    HistoryStore, ReferenceHistoryQuery, Statement,
};
use wallet_core::ledger::{AccountKey, RaisedBy, Restore, Sequence, TransferKey};
use wallet_core::memory::{MemoryHistory, MemoryStore, Tables};
use wallet_core::runtime::Clock;
use wallet_core::store::{LedgerStore, Order, StoreErrorKind};
use wallet_core::{PostTransfer, Request, StoreError, Timestamp, Wallet, WalletError};
use wallet_testkit::SeededIds;

use crate::service::world::{JumpClock, account_key, key, leg, open, quiet};

/// How a history answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Fails,
    Hangs,
}

/// A history that hides some of its rows, as if they had expired or were never
/// written.
#[derive(Debug)]
pub(crate) struct Holey {
    pub(crate) inner: MemoryHistory,
    pub(crate) hidden: Mutex<BTreeSet<(AccountKey, Sequence)>>,
    pub(crate) mood: Mutex<Mood>,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl HistoryStore for Holey {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        self.inner.append(lines, restores).await
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        self.inner.supersede(accounts, restores).await
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        self.inner.heads(accounts).await
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => {}
            Mood::Fails => return Err(StoreError::new(StoreErrorKind::Unavailable, "down")),
            Mood::Hangs => std::future::pending().await,
        }
        let mut all = query.clone();
        all.limit = u32::MAX;
        let mut rows = self.inner.page(&all, restores).await?.rows;
        let hidden = self.hidden.lock().unwrap();
        rows.retain(|row| !hidden.contains(&(row.account(), row.line.entry.sequence)));
        rows.truncate(usize::try_from(query.limit).unwrap());
        Ok(query.page(rows))
    }

    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.inner.of_transfer(transfer, restores).await
    }

    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.inner.of_reference(query, restores).await
    }

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        self.inner.superseded(query, restores).await
    }

    async fn expire(&self, rows: &[HistoryRow], at: Timestamp) -> Result<(), StoreError> {
        self.inner.expire(rows, at).await
    }
}

/// One ledger, a wallet with a history beside it and one without.
pub(crate) struct Two {
    pub(crate) clock: Arc<JumpClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) history: Arc<Holey>,
    pub(crate) with: Wallet,
    pub(crate) without: Wallet,
    keys: u32,
}

impl Two {
    /// A ledger with three accounts. One of them has no overdraft limit.
    pub(crate) async fn new() -> Self {
        let clock = JumpClock::new();
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let history = Arc::new(Holey {
            inner: MemoryHistory::new(),
            hidden: Mutex::default(),
            mood: Mutex::new(Mood::Well),
        });
        let builder = |seed| {
            let builder = Wallet::builder(Arc::<MemoryStore>::clone(&store));
            let ids = Arc::new(SeededIds::new(seed));
            builder.clock(clock.clone()).ids(ids).settings(quiet())
        };
        let with = builder(1).history(Arc::<Holey>::clone(&history)).spawn();
        let without = builder(2).spawn();
        let two = Self {
            with: with.unwrap(),
            without: without.unwrap(),
            clock,
            store,
            history,
            keys: 0,
        };
        let commands = (1..=3).map(|number| {
            let policy = wallet_core::Policy::Unlimited;
            open(number).with_policy(policy).into()
        });
        let request = Request::of_many(key("open"), commands.collect());
        let opened = two.without.submit_raw(request).await.unwrap();
        opened.accepted().unwrap();
        two
    }

    pub(crate) async fn pay(&mut self, from: u128, to: u128, cents: i128) {
        self.keys += 1;
        let transfer = PostTransfer::new(vec![leg(from, to, cents)]);
        let request = Request::new(key(&format!("pay-{}", self.keys)), transfer);
        let paid = self.without.submit_raw(request).await.unwrap();
        paid.accepted().unwrap();
    }

    /// The current tables, and their time.
    pub(crate) async fn back_up(&self) -> (Tables, Timestamp) {
        let backup = (self.store.shared().tables().clone(), self.clock.now());
        // Later commits have a later time.
        self.clock.sleep(Duration::from_micros(1)).await;
        backup
    }

    /// Restores the tables, and waits until every wallet has queried the epoch.
    pub(crate) async fn restore(&self, tables: &Tables, restored_to: Timestamp) {
        *self.store.shared().tables() = tables.clone();
        self.clock.sleep(Duration::from_secs(6)).await;
        let by = RaisedBy::new(&format!("ops {}", self.clock.now().as_micros())).unwrap();
        self.store.raise_epoch(restored_to, &by).await.unwrap();
    }

    /// Fills history up to the ledger.
    pub(crate) async fn fill(&self) {
        let store: &dyn LedgerStore = &*self.store;
        let backfill = Backfill::new(&self.history.inner, store);
        backfill.run(&mut |_| ()).await.unwrap();
    }

    pub(crate) fn hide(&self, number: u128, sequence: Sequence) {
        let mut hidden = self.history.hidden.lock().unwrap();
        hidden.insert((account_key(number), sequence));
    }

    /// The common answer of both wallets.
    pub(crate) async fn page(&self, query: &HistoryQuery) -> Statement {
        let answer = self.with.statement(query).await.unwrap();
        assert_eq!(answer, self.without.statement(query).await.unwrap());
        answer
    }

    pub(crate) fn mood(&self, mood: Mood) {
        *self.history.mood.lock().unwrap() = mood;
    }

    /// Answers of history, misses, failures.
    fn counts(&self) -> (u64, u64, u64) {
        let stats = self.with.stats();
        (
            stats.history_answers,
            stats.history_misses,
            stats.history_failures,
        )
    }
}

async fn ten() -> Two {
    let mut two = Two::new().await;
    for cents in 1..=10 {
        two.clock.sleep(std::time::Duration::from_micros(1)).await;
        two.pay(1, 2, cents).await;
    }
    two
}

#[tokio::test]
async fn what_history_proves_comes_from_it() {
    let two = ten().await;
    two.fill().await;
    let mut query = HistoryQuery::first(account_key(1), 4);
    for order in [Order::Ascending, Order::Descending] {
        query.order = order;
        query.cursor = None;
        let mut read = 0;
        loop {
            let page = two.page(&query).await;
            if page.entries.is_empty() {
                assert_eq!(page.next, query.cursor);
                break;
            }
            read += page.entries.len();
            query.cursor = page.next;
        }
        assert_eq!(read, 10);
    }
    assert_eq!(two.counts(), (8, 0, 0));
    let first = two.page(&HistoryQuery::first(account_key(1), 1)).await;
    let at = first.entries[0].created_at;
    let answer = two.with.balance_at(account_key(1), at).await.unwrap();
    assert_eq!(
        answer.map(|answer| (answer.posted, answer.sequence)),
        Some((-1, 1))
    );
    assert_eq!(two.counts(), (10, 0, 0));
}

#[tokio::test]
async fn what_it_does_not_prove_the_ledger_answers() {
    let mut two = ten().await;
    let query = HistoryQuery::first(account_key(1), 20);
    two.page(&query).await;
    assert_eq!(two.counts(), (0, 1, 0), "it is empty");
    two.fill().await;
    two.pay(1, 2, 5).await;
    two.page(&query).await;
    assert_eq!(two.counts(), (0, 2, 0), "it is behind");
    two.fill().await;
    two.hide(1, 5);
    let mut few = query.clone();
    few.limit = 4;
    two.page(&query).await;
    assert_eq!(two.counts(), (0, 3, 0), "the fifth is not there");
    let page = two.page(&few).await;
    assert_eq!(two.counts(), (0, 4, 0), "nor what ends before it");
    few.limit = 3;
    two.page(&few).await;
    assert_eq!(two.counts(), (1, 4, 0));
    let at = page.entries[3].created_at;
    two.with.balance_at(account_key(1), at).await.unwrap();
    assert_eq!(two.counts(), (1, 5, 0), "the next entry would prove it");
}

#[tokio::test]
async fn nothing_is_answered_from_what_a_restore_left_in_doubt() {
    let mut two = ten().await;
    let (tables, at) = two.back_up().await;
    let lost = 3;
    for cents in 0..lost {
        two.clock.sleep(Duration::from_micros(9)).await;
        two.pay(1, 2, 50 + cents).await;
    }
    two.fill().await;
    let query = HistoryQuery::first(account_key(1), 20);
    assert_eq!(two.page(&query).await.entries.len(), 13);
    assert_eq!(two.counts(), (1, 0, 0));
    let times: Vec<Timestamp> = (0..40)
        .map(|micros| at.saturating_add(Duration::from_micros(micros)))
        .collect();
    two.restore(&tables, at).await;
    // Nothing is superseded yet. The rows before the restored time prove the
    // statement.
    assert_eq!(two.page(&query).await.entries.len(), 10);
    assert_eq!(two.counts(), (2, 0, 0));
    for number in 0..2 {
        for at in &times {
            let answer = two.with.balance_at(account_key(1), *at).await.unwrap();
            let due = two.without.balance_at(account_key(1), *at).await.unwrap();
            assert_eq!(answer, due, "at {at}");
        }
        assert_eq!(
            two.counts().0,
            2 + 41 * number,
            "the ledger answered, then history"
        );
        two.pay(1, 2, 7).await;
        two.page(&query).await;
        two.fill().await;
        two.page(&query).await;
    }
}

#[tokio::test]
async fn a_history_that_fails_or_hangs_is_done_without() {
    let two = ten().await;
    two.fill().await;
    let query = HistoryQuery::first(account_key(1), 20);
    let at = Timestamp::from_micros(two.clock.now().as_micros() - 3);
    for (mood, failures) in [(Mood::Fails, 2), (Mood::Hangs, 4)] {
        two.mood(mood);
        assert_eq!(two.page(&query).await.entries.len(), 10);
        let answer = two.with.balance_at(account_key(1), at).await.unwrap();
        let due = two.without.balance_at(account_key(1), at).await.unwrap();
        assert_eq!(answer, due);
        assert_eq!(two.counts(), (0, 0, failures));
    }
    two.mood(Mood::Well);
    two.page(&query).await;
    assert_eq!(two.counts(), (1, 0, 4));
}

#[tokio::test]
async fn a_foreign_cursor_is_refused_with_or_without_history() {
    let two = ten().await;
    two.fill().await;
    let page = two.page(&HistoryQuery::first(account_key(1), 3)).await;
    let query = HistoryQuery {
        cursor: page.next,
        ..HistoryQuery::first(account_key(2), 3)
    };
    for wallet in [&two.with, &two.without] {
        let WalletError::Store(error) = wallet.statement(&query).await.unwrap_err() else {
            panic!("another error");
        };
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_time_to_come_is_refused_though_history_knows_an_entry_behind_it() {
    let two = ten().await;
    two.fill().await;
    let now = two.clock.now();
    for wallet in [&two.with, &two.without] {
        let refused = wallet
            .balance_at(
                account_key(1),
                now.saturating_add(std::time::Duration::from_micros(1)),
            )
            .await;
        assert!(refused.is_err());
        assert!(
            wallet
                .balance_at(account_key(1), now)
                .await
                .unwrap()
                .is_some()
        );
        assert_eq!(wallet.balance_at(account_key(9), now).await.unwrap(), None);
    }
}
