use std::fmt::Debug;

use async_trait::async_trait;

use crate::ledger::{AccountKey, Balance};
use crate::store::StoreError;

/// A cache of balances, which is faster to read than the ledger.
///
/// No decision about a movement of money uses the cache. Its balances were
/// committed, but may be stale, and may be evicted at any time. Readers treat an
/// error as a miss. The adapter's settings decide how long a balance is stored.
#[async_trait]
pub trait BalanceCache: Debug + Send + Sync + 'static {
    /// Returns the balance of each account in the order of `accounts`; `None` for a
    /// miss.
    ///
    /// # Errors
    /// [`StoreError`] of any kind. The ledger is read instead.
    async fn get(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError>;

    /// Stores each balance unless the cache holds the same or a later position of
    /// its account (epoch, then version). The comparison and the write are one
    /// atomic step per account. Afterwards the cache holds no older balance of an
    /// account than the given one.
    ///
    /// # Errors
    /// [`StoreError`]: the cache may have stored some of the balances.
    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError>;

    /// Removes the accounts from the cache. A balance that was read before this
    /// call and stored after it may be stale. Readers that need monotonic reads ask
    /// for [`AtLeast`] a position.
    ///
    /// # Errors
    /// [`StoreError`]: the cache may have removed some of the accounts.
    ///
    /// [`AtLeast`]: crate::ledger::Freshness::AtLeast
    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError>;
}
