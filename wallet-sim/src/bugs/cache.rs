use std::sync::Arc;

use async_trait::async_trait;

use wallet_core::cache::BalanceCache;
use wallet_core::ledger::AccountKey;
use wallet_core::{Balance, StoreError};

/// A cache that stores the latest write, whatever its version.
#[derive(Debug)]
pub(in super::super) struct BuggyCache {
    pub(in super::super) inner: Arc<dyn BalanceCache>,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl BalanceCache for BuggyCache {
    async fn get(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        self.inner.get(accounts).await
    }

    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError> {
        let accounts: Vec<_> = balances.iter().map(|balance| balance.account).collect();
        self.inner.invalidate(&accounts).await?;
        self.inner.put(balances).await
    }

    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError> {
        self.inner.invalidate(accounts).await
    }
}
