use std::path::{Path, PathBuf};
use std::sync::Arc;

use wallet_core::SystemClock;
use wallet_core::store::{HostTransactions, LedgerStore, Outbox};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use super::Subject;
use crate::{Result, disk};

/// A `SqliteStore` with its default settings.
#[derive(Debug)]
pub(super) struct Sqlite {
    store: Arc<SqliteStore>,
    path: PathBuf,
}

impl Sqlite {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("wallet.db");
        let store = SqliteStore::open(&SqliteSettings::new(&path), Arc::new(SystemClock))?;
        let store = Arc::new(store);
        Ok(Self { store, path })
    }
}

impl Subject for Sqlite {
    fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::<SqliteStore>::clone(&self.store)
    }

    fn transactions(&self) -> Arc<dyn HostTransactions> {
        Arc::<SqliteStore>::clone(&self.store)
    }

    fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::<SqliteStore>::clone(&self.store)
    }

    fn bytes(&self) -> Result<Option<u64>> {
        disk::sqlite_bytes(&self.path).map(Some)
    }
}
