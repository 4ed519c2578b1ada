use std::sync::Arc;

use wallet_core::memory::MemoryStore;
use wallet_core::{Currency, LedgerStore, Outbox, Reads, StoreError, SystemClock};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::StoreUrl;
use crate::serve::StartError;

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

/// Refuses settings that would read every amount of a currency as another one.
pub(crate) async fn same_decimals(
    currencies: &[Currency],
    store: &dyn Books,
) -> Result<(), StartError> {
    let mut reads = Reads::default();
    reads.currencies = currencies.iter().map(Currency::code).collect();
    reads.currencies.sort_unstable();
    reads.currencies.dedup();
    let known = store.snapshot(&reads).await?.currencies;
    for given in currencies {
        let stored = known.iter().find(|known| known.code() == given.code());
        if let Some(stored) = stored.filter(|stored| *stored != given) {
            return Err(StartError::OtherDecimals {
                code: given.code(),
                stored: stored.exponent(),
                given: given.exponent(),
            });
        }
    }
    Ok(())
}
