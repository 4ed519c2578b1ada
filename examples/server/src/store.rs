use std::sync::Arc;

use wallet_core::memory::MemoryStore;
use wallet_core::{LedgerStore, Outbox, StoreError, SystemClock};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::StoreUrl;

/// Books with their outbox.
pub(crate) trait Books: LedgerStore + Outbox {}

impl<T: LedgerStore + Outbox> Books for T {}

/// Opens the store that the settings name.
#[cfg_attr(
    not(feature = "mysql"),
    expect(clippy::unused_async, reason = "only a server's store is waited for")
)]
pub(crate) async fn open(url: &StoreUrl) -> Result<Arc<dyn Books>, StoreError> {
    let clock = Arc::new(SystemClock);
    match url {
        StoreUrl::Memory => Ok(Arc::new(MemoryStore::new(clock))),
        StoreUrl::Sqlite(path) => {
            let settings = SqliteSettings::new(path);
            Ok(Arc::new(SqliteStore::open(&settings, clock)?))
        }
        #[cfg(feature = "mysql")]
        StoreUrl::Mysql(address) => {
            let settings = wallet_aurora::AuroraSettings::new(address);
            Ok(Arc::new(wallet_aurora::AuroraStore::open(&settings).await?))
        }
    }
}
