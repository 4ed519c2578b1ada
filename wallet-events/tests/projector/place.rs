use std::sync::Arc;

use wallet_core::history::{HistoryLine, HistoryQuery, HistoryStore, lines_of};
use wallet_core::ledger::{AccountKey, Restore};
use wallet_core::memory::{MemoryHistory, MemoryStore};
use wallet_core::messaging::Message;
use wallet_core::store::{AccountQuery, LedgerStore};
use wallet_core::{AccountId, EntryQuery, LedgerId};
use wallet_events::memory::MemoryQueue;
use wallet_events::{Projector, RelaySettings};

use crate::far::Far;
use crate::kit::{TestClock, World, spawn};

/// A ledger and what becomes of its history.
pub(crate) struct Place {
    pub(crate) world: World,
    pub(crate) history: MemoryHistory,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            world: World::new(),
            history: MemoryHistory::new(),
        }
    }

    pub(crate) fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::<MemoryStore>::clone(&self.world.store)
    }

    pub(crate) fn projector(&self) -> Arc<Projector> {
        let history = Arc::new(self.history.clone());
        Arc::new(Projector::new(history, self.ledger()))
    }

    /// A projector that comes to the history from far away.
    pub(crate) fn far(&self, failing: u8) -> Arc<Projector> {
        let history = Arc::new(Far::new(self.history.clone(), failing));
        Arc::new(Projector::new(history, self.ledger()))
    }

    /// With the host's own accounts.
    pub(crate) fn settings(owner: &str) -> RelaySettings {
        let mut settings = World::settings(owner);
        settings.system_accounts = true;
        settings
    }

    /// All that the ledger tells so far, with the host's own accounts.
    pub(crate) async fn told(&self) -> Vec<Message> {
        let clock = Arc::<TestClock>::clone(&self.world.clock);
        let all = Arc::new(MemoryQueue::new(clock));
        let publisher = Arc::<MemoryQueue>::clone(&all);
        let relay = spawn(&self.world.relay_with(publisher, Self::settings("told")));
        self.world.drained().await;
        relay.stop().await;
        all.messages()
    }

    /// The accounts that there are, the host's own too.
    pub(crate) async fn accounts(&self) -> Vec<AccountKey> {
        let query = AccountQuery {
            ledger: LedgerId::default(),
            owner: None,
            currency: None,
            after: None,
            limit: 1_000,
        };
        let accounts = self.world.store.list_accounts(&query).await.unwrap();
        accounts.iter().map(|account| account.state.key).collect()
    }

    /// That the ledger went through.
    pub(crate) async fn restores(&self) -> Vec<Restore> {
        self.world.store.epochs().await.unwrap().all_restores()
    }

    /// What books hold of it that went through the ledger's restores.
    pub(crate) async fn held(&self, account: AccountKey) -> Vec<HistoryLine> {
        let query = HistoryQuery::first(account, u32::MAX);
        let rows = self
            .history
            .page(&query, &self.restores().await)
            .await
            .unwrap()
            .rows
            .into_iter();
        rows.map(|row| row.line).collect()
    }

    /// The lines that the ledger has of an account.
    pub(crate) async fn due(&self, account: AccountKey) -> Vec<HistoryLine> {
        let query = EntryQuery::first(account, u32::MAX);
        let entries = self.world.store.entries(&query).await.unwrap();
        lines_of(&*self.world.store, &entries).await.unwrap()
    }

    /// History says of every account what the ledger says; answers how many lines
    /// that are.
    pub(crate) async fn assert_whole(&self) -> usize {
        let mut count = 0;
        for account in self.accounts().await {
            let due = self.due(account).await;
            assert_eq!(self.held(account).await, due, "history of {account}");
            count += due.len();
        }
        count
    }

    /// Payments between accounts picked at random.
    pub(crate) async fn pay(&self, rng: &mut fastrand::Rng, accounts: &[AccountId], count: usize) {
        for _ in 0..count {
            let from = rng.usize(..accounts.len());
            let to = (from + rng.usize(1..accounts.len())) % accounts.len();
            self.world.pay(accounts[from], accounts[to]).await;
        }
    }
}
