//! Balances that come from an existing table.
//!
//! Stop the old program's writes, run [`take_over`] for each row, compare, and start the new
//! one. It may be run again from the beginning at any time: what was done is done once. A
//! row that has changed since is an error, and not a second balance.

use wallet::prelude::*;

/// Opens the account of a customer, and brings in the balance of the old table from the
/// settlement account `migration`. Its balance afterwards is minus the sum of the old table.
///
/// # Errors
/// `IdempotencyMismatch`: the row was taken over with another balance.
pub async fn take_over(
    books: &Books,
    customer: &str,
    balance: Option<Money>,
    currency: Currency,
) -> Result<AccountId, WalletError> {
    let open = OpenAccount::new(customer.parse()?, currency);
    let account = books.ensure_account(open).await?.id();
    // A balance of zero is no movement.
    if let Some(balance) = balance {
        let opening = Deposit::new(account, balance, SettlementName::new("migration")?);
        let opening = opening.with_description("opening balance")?;
        let key = format!("opening-{customer}-{}", currency.code());
        books.scope("migration")?.run(&key, opening).await?;
    }
    Ok(account)
}
