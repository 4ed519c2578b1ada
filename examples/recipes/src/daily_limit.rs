//! A limit: a customer spends at most 500 a day.
//!
//! Each day has an allowance account that is filled once. Every payment takes the same amount
//! from it, in the same request. When it is empty, the payment is refused, and nothing moves.

use wallet::LedgerId;
use wallet::prelude::*;

/// The limit in minor units of [`allowance_currency`].
const LIMIT: &str = "500.00";

/// Allowances are counted in a currency of their own, so that they never mix with money.
///
/// # Errors
/// Never, for this code.
pub fn allowance_currency() -> Result<Currency, WalletError> {
    Ok(Currency::new("ALLOWANCE", 2)?)
}

/// Pays within the limit of `day`, such as `"2026-11-28"` in the customer's time zone.
///
/// # Errors
/// `Rejected` with `InsufficientFunds`. If its `subject` is [`allowance`], the limit is used
/// up; otherwise the customer has too little money.
pub async fn pay(
    books: &Books,
    key: &str,
    customer: &Owner,
    day: &str,
    pay: PostTransfer,
    amount: Money,
) -> Result<(), WalletError> {
    let keys = books.scope("payments")?;
    let currency = allowance_currency()?;
    let today = allowance(customer, day)?;
    let open = OpenAccount::new(customer.clone(), currency).with_id(today);
    books.ensure_account(open).await?;
    // Filled once: each later call gets the first receipt again.
    let fill = Deposit::new(
        today,
        currency.parse(LIMIT)?,
        SettlementName::new("allowances")?,
    );
    keys.run(&filled(customer, day), fill).await?;
    let used = OpenAccount::new("used-allowances".parse()?, currency);
    let used = books.ensure_account(used).await?.id();
    let spend = PostTransfer::simple(today, used, Money { currency, ..amount });
    keys.run_all(key, vec![spend.into(), pay.into()]).await?;
    Ok(())
}

/// The account of a day's allowance.
///
/// # Errors
/// Never, for this code.
pub fn allowance(customer: &Owner, day: &str) -> Result<AccountId, WalletError> {
    let currency = allowance_currency()?;
    Ok(AccountId::derived(
        LedgerId::default(),
        customer,
        currency,
        day,
    ))
}

fn filled(customer: &Owner, day: &str) -> String {
    format!("allowance-{customer}-{day}")
}
