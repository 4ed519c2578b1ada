//! An exchange between two currencies.
//!
//! The customer's side is exact. The other side is rounded to the customer's disadvantage by
//! less than one unit. The desk holds an account in each currency, which may be negative: its
//! balances are the open positions.

use wallet::prelude::*;
use wallet::{Decimal, Policy};

/// What a customer was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// What the customer pays.
    pub pays: Money,
    /// What the customer gets.
    pub gets: Money,
}

/// Offers `pays` at `rate` units of `currency` for one unit. Store the quote, and exchange by
/// it: a retry must not see another rate.
///
/// # Errors
/// `Value` where the customer would get less than one minor unit, or more than the ledger
/// counts.
pub fn quote(pays: Money, rate: Decimal, currency: Currency) -> Result<Quote, WalletError> {
    let exact = pays.to_decimal().checked_mul(rate);
    let exact = exact.ok_or(wallet::core::ledger::AmountError::TooLarge)?;
    let gets = exact.trunc_with_scale(u32::from(currency.exponent()));
    let gets = Money::from_decimal(gets, currency)?;
    Ok(Quote { pays, gets })
}

/// Exchanges by a quote: both sides or none.
///
/// # Errors
/// `Rejected` with `InsufficientFunds` where the customer has too little.
pub async fn exchange(
    books: &Books,
    key: &str,
    quote: Quote,
    [from, to]: [AccountId; 2],
) -> Result<(), WalletError> {
    let mut desks = Vec::new();
    for currency in [quote.pays.currency, quote.gets.currency] {
        let desk = OpenAccount::new("exchange-desk".parse()?, currency);
        let desk = desk.with_policy(Policy::Unlimited);
        desks.push(books.ensure_account(desk).await?.id());
    }
    let legs = desks
        .iter()
        .zip([(from, quote.pays), (to, quote.gets)])
        .enumerate();
    let legs = legs.map(|(side, (desk, (customer, money)))| match side {
        0 => Leg::new(customer, *desk, money),
        _ => Leg::new(*desk, customer, money),
    });
    let both = PostTransfer::new(legs.collect());
    books.scope("exchange")?.run(key, both).await.map(drop)
}
