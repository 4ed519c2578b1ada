use std::fmt::Debug;

use async_trait::async_trait;

use crate::ledger::{AccountKey, Balance};
use crate::store::StoreError;

/// Keeps balances where they are read faster than from the ledger.
///
/// It is never asked whether money may move. What it holds was committed, may be
/// old, and may be gone at any time: for who reads, an error is a miss. How long
/// it keeps a balance is the adapter's setting.
#[async_trait]
pub trait BalanceCache: Debug + Send + Sync + 'static {
    /// The balance of each account in the order asked; `None` where none is
    /// kept.
    ///
    /// # Errors
    /// [`StoreError`] of any kind; the ledger is read instead.
    async fn get(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError>;

    /// Keeps each balance unless the same or a later position of its account (epoch,
    /// then version) is kept: looking and keeping is one step of each account. Afterwards what is
    /// kept of an account, if anything, is no older than what was given.
    ///
    /// # Errors
    /// [`StoreError`]; some of the balances may then be kept and others not.
    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError>;

    /// Forgets the accounts. A balance that was read before and is kept after
    /// may be old: readers who must not go back say [`AtLeast`] which position.
    ///
    /// # Errors
    /// [`StoreError`]; some of them may then be forgotten and others not.
    ///
    /// [`AtLeast`]: crate::ledger::Freshness::AtLeast
    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError>;
}
