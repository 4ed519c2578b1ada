use std::sync::Arc;

use async_trait::async_trait;

use wallet_core::cache::BalanceCache;
use wallet_core::ledger::AccountKey;
use wallet_core::{Balance, StoreError};

use super::faulty_port::{FaultyPort, planned};
use super::oracle::Oracle;

/// A cache with injected faults. An oracle checks its contents.
#[derive(Debug)]
pub(super) struct FaultyCache {
    pub(super) inner: Arc<dyn BalanceCache>,
    pub(super) faults: FaultyPort,
    pub(super) oracle: Arc<Oracle>,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl BalanceCache for FaultyCache {
    async fn get(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        let call = async {
            let found = self.inner.get(accounts).await?;
            for balance in found.iter().flatten() {
                self.oracle.cache_gave(balance);
            }
            Ok(found)
        };
        self.faults.call("get", call, planned).await
    }

    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError> {
        let call = async {
            self.inner.put(balances).await?;
            for balance in balances {
                self.oracle.cache_took(balance);
            }
            Ok(())
        };
        self.faults.call("put", call, planned).await
    }

    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError> {
        let call = async {
            self.inner.invalidate(accounts).await?;
            self.oracle.cache_forgot(accounts);
            Ok(())
        };
        self.faults.call("invalidate", call, planned).await
    }
}
