//! Opens the store of the books that the settings name, and checks the currencies of the
//! settings against it.

use std::sync::Arc;

use wallet_core::memory::MemoryStore;
use wallet_core::request::ReadSet;
use wallet_core::store::{LedgerStore, Outbox};
use wallet_core::{Currency, StoreError, SystemClock};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::config::{Config, StoreUrl};
use crate::error::StartError;

/// Books with their outbox.
pub trait Books: LedgerStore + Outbox {}

impl<T: LedgerStore + Outbox> Books for T {}

/// Opens the store that the settings name.
#[cfg_attr(
    not(feature = "mysql"),
    expect(clippy::unused_async, reason = "only a server's store is waited for")
)]
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Books>, StoreError> {
    let clock = Arc::new(SystemClock);
    match &config.store {
        StoreUrl::Memory => Ok(Arc::new(MemoryStore::new(clock))),
        StoreUrl::Sqlite(path) => {
            let is_new = !path.exists();
            let store = SqliteStore::open(&SqliteSettings::new(path), clock)?;
            if is_new {
                let file = path.display();
                tracing::info!(%file, "new books were created: there was no such file");
            }
            Ok(Arc::new(store))
        }
        #[cfg(feature = "mysql")]
        StoreUrl::Mysql(address) => {
            let settings = config.mysql.settings(address);
            let store = wallet_aurora::AuroraStore::open(&settings).await?;
            let durability = store.durability();
            if !durability.is_full() {
                let log = durability.flushes_log;
                let binary_log = durability.flushes_binary_log;
                tracing::warn!(
                    log,
                    binary_log,
                    "the database does not flush at commit: a crash loses payments that \
                     were acknowledged"
                );
            }
            if !durability.shows_only_durable {
                tracing::info!(
                    "no binary log that is flushed at commit: a balance or statement may \
                     show a commit of the last milliseconds that a crash takes back"
                );
            }
            Ok(Arc::new(store))
        }
    }
}

/// Refuses settings under which the amounts of a currency would change their value.
pub(crate) async fn same_decimals(
    currencies: &[Currency],
    store: &dyn Books,
) -> Result<(), StartError> {
    let mut reads = ReadSet::default();
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
