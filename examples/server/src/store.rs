use std::sync::Arc;

use wallet_core::memory::MemoryStore;
use wallet_core::{LedgerStore, StoreError, SystemClock};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::StoreUrl;

/// Opens the store that the settings name.
pub(crate) fn open(url: &StoreUrl) -> Result<Arc<dyn LedgerStore>, StoreError> {
    let clock = Arc::new(SystemClock);
    match url {
        StoreUrl::Memory => Ok(Arc::new(MemoryStore::new(clock))),
        StoreUrl::Sqlite(path) => {
            let settings = SqliteSettings::new(path);
            Ok(Arc::new(SqliteStore::open(&settings, clock)?))
        }
    }
}
