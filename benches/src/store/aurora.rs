use std::sync::Arc;

use tokio::runtime::Runtime;
use wallet_aurora::{AuroraSettings, AuroraStore};
use wallet_core::LedgerStore;

use super::Subject;
use super::server::Database;
use crate::Result;

/// An `AuroraStore` with its default settings.
#[derive(Debug)]
pub(super) struct Aurora {
    store: Arc<AuroraStore>,
    database: Database,
}

impl Aurora {
    pub(super) async fn open(database: Database) -> Result<Self> {
        let store = AuroraStore::open(&AuroraSettings::new(database.url())).await?;
        let store = Arc::new(store);
        Ok(Self { store, database })
    }
}

impl Subject for Aurora {
    fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::<AuroraStore>::clone(&self.store)
    }

    fn another(&self, runtime: &Runtime) -> Result<Option<Arc<dyn LedgerStore>>> {
        let settings = AuroraSettings::new(self.database.url());
        let store = runtime.block_on(AuroraStore::open(&settings))?;
        Ok(Some(Arc::new(store)))
    }

    fn bytes(&self) -> Result<Option<u64>> {
        self.database.bytes().map(Some)
    }
}
