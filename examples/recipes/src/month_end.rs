//! Balances at the end of a month, which never change once they were answered.

use wallet::prelude::*;
use wallet::{SignedMoney, Timestamp};

/// The posted balance at the end of the month before `next_month`, the first moment of the
/// next month in the time zone of the books, such as `2026-12-01T00:00:00Z`.
///
/// # Errors
/// `Store` of kind `Invalid` where the month has not ended yet.
pub async fn balance(
    books: &Books,
    account: AccountId,
    next_month: Timestamp,
) -> Result<Option<SignedMoney>, WalletError> {
    // The moment itself belongs to the next month.
    let end = Timestamp::from_micros(next_month.as_micros().saturating_sub(1));
    let balance = books.balance_at(account, end).await?;
    Ok(balance.map(|balance| balance.posted_money()))
}
