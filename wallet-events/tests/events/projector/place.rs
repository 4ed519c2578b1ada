use std::sync::Arc;

use wallet_core::history::{HistoryLine, HistoryQuery, HistoryStore, lines_of};
use wallet_core::ledger::{AccountKey, Restore};
use wallet_core::memory::{MemoryHistory, MemoryStore};
use wallet_core::messaging::Message;
use wallet_core::store::{AccountQuery, LedgerStore};
use wallet_core::{AccountId, EntryQuery, LedgerId};
use wallet_events::{Projector, RelaySettings};

use crate::kit::World;
use crate::projector::far::Far;

/// A ledger and its history.
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

    /// A projector with a slow history.
    pub(crate) fn far(&self, failing: u8) -> Arc<Projector> {
        let history = Arc::new(Far::new(self.history.clone(), failing));
        Arc::new(Projector::new(history, self.ledger()))
    }

    /// Relay settings with system accounts.
    pub(crate) fn settings(owner: &str) -> RelaySettings {
        let mut settings = World::settings(owner);
        settings.system_accounts = true;
        settings
    }

    /// All messages that the ledger has published since the last call, with system
    /// accounts.
    pub(crate) async fn published(&self) -> Vec<Message> {
        self.world.published(Self::settings("scripted")).await
    }

    /// All accounts, including system accounts.
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

    /// The restores of the ledger.
    pub(crate) async fn restores(&self) -> Vec<Restore> {
        self.world.store.epochs().await.unwrap().all_restores()
    }

    /// The lines that the books hold, under the ledger's restores.
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

    /// The lines of an account by the ledger.
    pub(crate) async fn due(&self, account: AccountKey) -> Vec<HistoryLine> {
        let query = EntryQuery::first(account, u32::MAX);
        let entries = self.world.store.entries(&query).await.unwrap();
        lines_of(&*self.world.store, &entries).await.unwrap()
    }

    /// Asserts that history equals the ledger for every account; returns the number of
    /// lines.
    pub(crate) async fn assert_whole(&self) -> usize {
        let mut count = 0;
        for account in self.accounts().await {
            let due = self.due(account).await;
            assert_eq!(self.held(account).await, due, "history of {account}");
            count += due.len();
        }
        count
    }

    /// Payments between random accounts.
    pub(crate) async fn pay(&self, rng: &mut fastrand::Rng, accounts: &[AccountId], count: usize) {
        for _ in 0..count {
            let from = rng.usize(..accounts.len());
            let to = (from + rng.usize(1..accounts.len())) % accounts.len();
            self.world.pay(accounts[from], accounts[to]).await;
        }
    }
}
