use super::{Wallet, WalletError};
use crate::ledger::{
    Account, AccountKey, Entry, Hold, HoldKey, TransferKey, TransferWithReversals,
};
use crate::store::{
    AccountQuery, CaptureQuery, EntryQuery, HoldQuery, HoldReferenceQuery, ReferenceQuery,
};

/// Reads that go straight to the store. An id alone names a thing of the default
/// ledger.
impl Wallet {
    /// Returns an account; `None` when there is none.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn account(
        &self,
        key: impl Into<AccountKey>,
    ) -> Result<Option<Account>, WalletError> {
        Ok(self
            .accounts(&[key.into()])
            .await?
            .into_iter()
            .next()
            .flatten())
    }

    /// Returns accounts in the order of `keys`.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, WalletError> {
        Ok(self.shared.store.accounts(keys).await?)
    }

    /// Returns a page of accounts.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, WalletError> {
        Ok(self.shared.store.list_accounts(query).await?)
    }

    /// Returns a transfer; `None` when there is none.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn transfer(
        &self,
        key: impl Into<TransferKey>,
    ) -> Result<Option<TransferWithReversals>, WalletError> {
        let found = self.shared.store.transfers(&[key.into()]).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// Returns a page of the transfers with a reference.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, WalletError> {
        Ok(self.shared.store.list_transfers(query).await?)
    }

    /// Returns a hold; `None` when there is none.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn hold(&self, key: impl Into<HoldKey>) -> Result<Option<Hold>, WalletError> {
        Ok(self
            .shared
            .store
            .holds(&[key.into()])
            .await?
            .into_iter()
            .next()
            .flatten())
    }

    /// Returns a page of the holds of an account.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, WalletError> {
        Ok(self.shared.store.list_holds(query).await?)
    }

    /// Returns a page of the holds with a reference. Their captures have the same reference
    /// unless they gave one of their own, and are found with
    /// [`list_transfers`](Self::list_transfers).
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn holds_by_reference(
        &self,
        query: &HoldReferenceQuery,
    ) -> Result<Vec<Hold>, WalletError> {
        Ok(self.shared.store.referenced_holds(query).await?)
    }

    /// Returns a page of the transfers that capture a hold.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, WalletError> {
        Ok(self.shared.store.captures(query).await?)
    }

    /// Returns a page of an account's entries. [`statement`](Self::statement)
    /// returns the same from history, where there is one.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, WalletError> {
        Ok(self.shared.store.entries(query).await?)
    }
}
