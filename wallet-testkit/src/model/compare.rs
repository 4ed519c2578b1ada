//! Compares the rows of a store with a [`Model`].

use wallet_core::store::{AccountQuery, LedgerStore, Order};
use wallet_core::{EntryQuery, LedgerId};

use super::Model;
use super::check::{same, text};

/// Compares the rows that change: accounts, holds, transfers with their reversals.
///
/// # Errors
/// The first difference, as text.
pub async fn live_rows(store: &dyn LedgerStore, model: &Model) -> Result<(), String> {
    let books = model.books();
    let (keys, mine): (Vec<_>, Vec<_>) = books
        .accounts
        .iter()
        .map(|(key, row)| (*key, Some(row.clone())))
        .unzip();
    same(
        "accounts",
        &mine,
        &store.accounts(&keys).await.map_err(text)?,
    )?;
    let (keys, mine): (Vec<_>, Vec<_>) = books
        .holds
        .iter()
        .map(|(key, row)| (*key, Some(row.clone())))
        .unzip();
    same("holds", &mine, &store.holds(&keys).await.map_err(text)?)?;
    let (keys, mine): (Vec<_>, Vec<_>) = books
        .transfers
        .iter()
        .map(|(key, row)| (*key, Some(row.clone())))
        .unzip();
    same(
        "transfers",
        &mine,
        &store.transfers(&keys).await.map_err(text)?,
    )
}

/// Compares every entry, and checks that there is no further account or ledger.
///
/// # Errors
/// The first difference, as text.
pub async fn everything(store: &dyn LedgerStore, model: &Model) -> Result<(), String> {
    let books = model.books();
    let mut ledgers: Vec<LedgerId> = books.accounts.keys().map(|key| key.ledger).collect();
    ledgers.dedup();
    same("ledgers", &ledgers, &store.ledgers().await.map_err(text)?)?;
    for ledger in ledgers {
        let query = AccountQuery {
            ledger,
            owner: None,
            currency: None,
            after: None,
            limit: 1_000,
        };
        let mine = books
            .accounts
            .values()
            .filter(|row| row.state.key.ledger == ledger);
        let mine: Vec<_> = mine.cloned().collect();
        same(
            "all accounts",
            &mine,
            &store.list_accounts(&query).await.map_err(text)?,
        )?;
    }
    for account in books.accounts.keys() {
        let query = EntryQuery {
            account: *account,
            from: None,
            to: None,
            order: Order::Ascending,
            after: None,
            limit: 10_000,
        };
        let mine = books
            .entries
            .iter()
            .filter(|entry| entry.account == *account);
        let mine: Vec<_> = mine.copied().collect();
        same(
            "entries",
            &mine,
            &store.entries(&query).await.map_err(text)?,
        )?;
    }
    Ok(())
}
