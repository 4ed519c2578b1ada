//! Reads of an account's entries together with their transfers.

use super::{Wallet, WalletError};
use crate::ledger::{Entry, Sequence, StatementLine, TransferId};
use crate::store::{
    EntryQuery, Order, StoreError, StoreErrorKind, TransferPage, TransferQuery, TransfersOf,
};

/// The greatest number of entries that one call reads, rounded up to whole steps.
const READ_MAX: usize = 5_000;
/// The greatest number of entries that are read at a time.
const STEP_MAX: u32 = 500;

/// Entries and transfers are immutable. So both reads together show one state.
impl Wallet {
    /// Returns entries with what a statement shows of their transfers, in the same order.
    /// Each transfer is read once.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// use wallet_core::memory::MemoryStore;
    /// use wallet_core::prelude::*;
    /// use wallet_core::{EntryQuery, Reference, SystemClock};
    /// # use std::sync::Arc;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// let wallet = Wallet::builder(MemoryStore::new(Arc::new(SystemClock))).spawn()?;
    /// let eur = Currency::iso("EUR")?;
    /// let ada = wallet.ensure_account(OpenAccount::new("ada".parse()?, eur)).await?.id();
    /// let deposit = Deposit::new(ada, eur.parse("5.00")?, SettlementName::new("bank")?);
    /// wallet.scope("shop")?.run("deposit", deposit.with_reference("top-up 1")?).await?;
    ///
    /// let entries = wallet.entries(&EntryQuery::first(ada, 50)).await?;
    /// for line in wallet.lines(&entries).await? {
    ///     let reference = line.details.reference.as_ref().map_or("", Reference::as_str);
    ///     let printed = format!("{} {reference}: {}", line.kind.name(), line.change());
    ///     assert_eq!(printed, "deposit top-up 1: 5.00 EUR");
    ///     assert_eq!(line.balance_after().to_string(), "5.00 EUR");
    /// }
    /// # Ok::<(), WalletError>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn lines(&self, entries: &[Entry]) -> Result<Vec<StatementLine>, WalletError> {
        let transfers = TransfersOf::read(&*self.shared.store, entries).await?;
        let lines = entries.iter().map(|entry| {
            let line = StatementLine::of(*entry, &transfers.of(entry)?.transfer);
            let context = "an entry names a leg that its transfer does not have";
            line.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, context).into())
        });
        lines.collect()
    }

    /// Returns a page of the transfers of an account, by time. A call reads at most about
    /// 5,000 entries. So a page may have fewer transfers than the limit where few are
    /// selected: go on while there is a `next`.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// use wallet_core::ledger::TransferKind;
    /// use wallet_core::memory::MemoryStore;
    /// use wallet_core::prelude::*;
    /// use wallet_core::SystemClock;
    /// use wallet_core::store::TransferQuery;
    /// # use std::sync::Arc;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// let wallet = Wallet::builder(MemoryStore::new(Arc::new(SystemClock))).spawn()?;
    /// let eur = Currency::iso("EUR")?;
    /// let ada = wallet.ensure_account(OpenAccount::new("ada".parse()?, eur)).await?.id();
    /// let bank = SettlementName::new("bank")?;
    /// let shop = wallet.scope("shop")?;
    /// shop.run("in", Deposit::new(ada, eur.parse("5.00")?, bank.clone())).await?;
    /// shop.run("out", Withdrawal::new(ada, eur.parse("2.00")?, bank)).await?;
    ///
    /// let query = TransferQuery::first(ada, 50).with_kind(TransferKind::Withdrawal);
    /// let page = wallet.account_transfers(&query).await?;
    /// let amounts: Vec<_> = page.transfers.iter().map(|row| row.transfer.legs[0].money).collect();
    /// assert_eq!((amounts, page.next), (vec![eur.parse("2.00")?], None));
    /// # Ok::<(), WalletError>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn account_transfers(
        &self,
        query: &TransferQuery,
    ) -> Result<TransferPage, WalletError> {
        let store = &*self.shared.store;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut page = TransferPage {
            transfers: Vec::new(),
            next: query.after,
        };
        if limit == 0 {
            return Ok(page);
        }
        let mut entries = EntryQuery {
            account: query.account,
            from: query.from,
            to: query.to,
            order: query.order,
            // The entry at the cursor names the transfer that was the last one.
            after: query.after.and_then(|after| before(after, query.order)),
            limit: query.limit.saturating_add(2).min(STEP_MAX),
        };
        let step = usize::try_from(entries.limit).unwrap_or(usize::MAX);
        let mut passed: Option<TransferId> = None;
        let mut read = 0_usize;
        while read < READ_MAX {
            let found = store.entries(&entries).await?;
            let transfers = TransfersOf::read(store, &found).await?;
            for entry in &found {
                let is_new = query.after != Some(entry.sequence) && passed != Some(entry.transfer);
                passed = Some(entry.transfer);
                if is_new {
                    if page.transfers.len() == limit {
                        return Ok(page);
                    }
                    let row = transfers.of(entry)?;
                    if query.selects(&row.transfer) {
                        page.transfers.push(row.clone());
                    }
                }
                page.next = Some(entry.sequence);
            }
            if found.len() < step {
                page.next = None;
                break;
            }
            entries.after = page.next;
            read = read.saturating_add(found.len());
        }
        Ok(page)
    }
}

/// The place before an entry.
const fn before(sequence: Sequence, order: Order) -> Option<Sequence> {
    match order {
        Order::Ascending => sequence.checked_sub(1),
        Order::Descending => sequence.checked_add(1),
    }
}
