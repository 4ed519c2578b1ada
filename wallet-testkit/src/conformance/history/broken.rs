//! Histories in memory with a planted bug, and what outlives a restart of them.

mod reads;
mod store;
mod writes;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::HistoryBug;
use crate::{Built, Factory, ManualClock, Reopen};
use wallet_core::LedgerId;
use wallet_core::history::{HistoryRow, HistoryStore};
use wallet_core::ledger::{AccountKey, Restore};

/// The history of one account.
#[derive(Debug, Clone, Default)]
struct Own {
    rows: Vec<HistoryRow>,
    superseded: Vec<HistoryRow>,
    restores: Vec<Restore>,
}

type Rows = Arc<Mutex<BTreeMap<AccountKey, Own>>>;

/// Makes histories in memory with a bug; without a bug, correct ones for
/// comparison.
#[derive(Debug, Clone, Copy)]
pub struct BrokenHistories(pub Option<HistoryBug>);

#[async_trait]
impl Factory<dyn HistoryStore> for BrokenHistories {
    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn HistoryStore> {
        let stored = Stored {
            bug: self.0,
            rows: Rows::default(),
            turn: Arc::default(),
        };
        Built::new(stored.history(Arc::clone(&stored.rows)), stored)
    }
}

/// The rows outlive the history, as a table outlives a process.
#[derive(Debug)]
struct Stored {
    bug: Option<HistoryBug>,
    rows: Rows,
    turn: Arc<Mutex<()>>,
}

impl Stored {
    fn history(&self, rows: Rows) -> Arc<dyn HistoryStore> {
        let (bug, under_way) = (self.bug, AtomicUsize::new(0));
        Arc::new(Broken {
            bug,
            rows,
            under_way,
            turn: Arc::clone(&self.turn),
        })
    }

    /// The history as another process opens it.
    fn open(&self) -> Arc<dyn HistoryStore> {
        let rows = match self.bug {
            Some(HistoryBug::ForgetsOnRestart) => Rows::default(),
            _ => Arc::clone(&self.rows),
        };
        if self.bug == Some(HistoryBug::ForgetsRestores) {
            let mut stored = rows.lock().unwrap_or_else(PoisonError::into_inner);
            stored.values_mut().for_each(|own| own.restores.clear());
        }
        self.history(rows)
    }
}

#[async_trait]
impl Reopen<dyn HistoryStore> for Stored {
    async fn reopen(&mut self) -> Option<Arc<dyn HistoryStore>> {
        Some(self.open())
    }

    async fn open_another(&mut self) -> Option<Arc<dyn HistoryStore>> {
        Some(self.open())
    }
}

#[derive(Debug)]
struct Broken {
    bug: Option<HistoryBug>,
    rows: Rows,
    /// The number of calls between their read and their write.
    under_way: AtomicUsize,
    /// The lock of writing calls.
    turn: Arc<Mutex<()>>,
}

impl Broken {
    fn has(&self, bug: HistoryBug) -> bool {
        self.bug == Some(bug)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountKey, Own>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, mut account: AccountKey) -> AccountKey {
        if self.has(HistoryBug::IgnoresLedgers) {
            account.ledger = LedgerId::default();
        }
        account
    }
}
