use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Account, AccountKey, AccountQuery, Entry, EntryQuery, Hold, HoldKey, HoldQuery, InLedger,
    LedgerId, LedgerStore, Order, StoreError, TransferKey, TransferWithReversals,
};

/// How many rows are read at a time: small, so that pages are turned.
const PAGE: u32 = 200;

/// Everything that a store holds but the outbox and the records, as its own
/// readers tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// Every account.
    pub accounts: BTreeMap<AccountKey, Account>,
    /// Every account's entries in the order told.
    pub entries: BTreeMap<AccountKey, Vec<Entry>>,
    /// Every hold from or towards an account.
    pub holds: BTreeMap<HoldKey, Hold>,
    /// Every transfer that an entry names; `None` when it does not exist.
    pub transfers: BTreeMap<TransferKey, Option<TransferWithReversals>>,
}

impl Books {
    /// Reads everything. Nothing may be committed meanwhile.
    ///
    /// # Errors
    /// Those of [`LedgerStore`].
    pub async fn read(store: &dyn LedgerStore) -> Result<Self, StoreError> {
        let mut books = Self::default();
        for ledger in store.ledgers().await? {
            books.read_accounts(store, ledger).await?;
        }
        let keys: Vec<AccountKey> = books.accounts.keys().copied().collect();
        for account in keys {
            books.read_entries(store, account).await?;
            books.read_holds(store, account).await?;
        }
        books.read_transfers(store).await?;
        Ok(books)
    }

    async fn read_accounts(
        &mut self,
        store: &dyn LedgerStore,
        ledger: LedgerId,
    ) -> Result<(), StoreError> {
        let mut query = AccountQuery {
            ledger,
            owner: None,
            currency: None,
            after: None,
            limit: PAGE,
        };
        loop {
            let page = store.list_accounts(&query).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            query.after = Some(last.state.key.id);
            let accounts = page.into_iter();
            self.accounts
                .extend(accounts.map(|account| (account.state.key, account)));
        }
    }

    async fn read_entries(
        &mut self,
        store: &dyn LedgerStore,
        account: AccountKey,
    ) -> Result<(), StoreError> {
        let mut query = EntryQuery {
            account,
            from: None,
            to: None,
            order: Order::Ascending,
            after: None,
            limit: PAGE,
        };
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let page = store.entries(&query).await?;
            let Some(last) = page.last() else {
                break;
            };
            // Where numbers do not rise, the cursor would turn in circles.
            let is_stuck = query.after.is_some_and(|after| last.sequence <= after);
            query.after = Some(last.sequence);
            entries.extend(page);
            if is_stuck {
                break;
            }
        }
        self.entries.insert(account, entries);
        Ok(())
    }

    async fn read_holds(
        &mut self,
        store: &dyn LedgerStore,
        account: AccountKey,
    ) -> Result<(), StoreError> {
        let mut query = HoldQuery {
            account,
            status: None,
            after: None,
            limit: PAGE,
        };
        loop {
            let page = store.list_holds(&query).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            query.after = Some(last.key.id);
            let holds = page.into_iter();
            self.holds.extend(holds.map(|hold| (hold.key, hold)));
        }
    }

    async fn read_transfers(&mut self, store: &dyn LedgerStore) -> Result<(), StoreError> {
        let entries = self.entries.values().flatten();
        let named: BTreeSet<TransferKey> = entries
            .map(|entry| InLedger::new(entry.account.ledger, entry.transfer))
            .collect();
        let named: Vec<TransferKey> = named.into_iter().collect();
        for keys in named.chunks(100) {
            let rows = store.transfers(keys).await?;
            self.transfers.extend(keys.iter().copied().zip(rows));
        }
        Ok(())
    }

    /// The transfers that exist.
    pub fn existing_transfers(&self) -> impl Iterator<Item = &TransferWithReversals> {
        self.transfers.values().flatten()
    }

    /// The entries of an account.
    #[must_use]
    pub fn entries_of(&self, account: AccountKey) -> &[Entry] {
        self.entries.get(&account).map_or(&[], Vec::as_slice)
    }
}
