use std::sync::Arc;

use tokio::runtime::Runtime;
use wallet_aurora::{AuroraSettings, AuroraStore};
use wallet_core::store::{HostTransactions, LedgerStore, Outbox};

use super::Subject;
use crate::Result;
use crate::server::Database;

/// An `AuroraStore` with its default settings, except for the number of cached accounts.
#[derive(Debug)]
pub(super) struct Aurora {
    store: Arc<AuroraStore>,
    settings: AuroraSettings,
    database: Database,
}

impl Aurora {
    pub(super) async fn open(database: Database, remembered: Option<usize>) -> Result<Self> {
        let mut settings = AuroraSettings::new(database.url());
        if let Some(accounts) = remembered {
            settings.remembered_accounts = accounts;
        }
        let store = AuroraStore::open(&settings).await?;
        let store = Arc::new(store);
        Ok(Self {
            store,
            settings,
            database,
        })
    }
}

impl Subject for Aurora {
    fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::<AuroraStore>::clone(&self.store)
    }

    fn another(&self, runtime: &Runtime) -> Result<Option<Arc<dyn LedgerStore>>> {
        let store = runtime.block_on(AuroraStore::open(&self.settings))?;
        Ok(Some(Arc::new(store)))
    }

    fn transactions(&self) -> Arc<dyn HostTransactions> {
        Arc::<AuroraStore>::clone(&self.store)
    }

    fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::<AuroraStore>::clone(&self.store)
    }

    fn bytes(&self) -> Result<Option<u64>> {
        self.database.bytes().map(Some)
    }
}
