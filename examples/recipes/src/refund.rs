//! Refunds of a sale that was split among several accounts.

use wallet::prelude::*;

/// Gives a part of the sale back, from each account in proportion to what it still has of
/// it. Any sequence of parts that adds up to the sale ends at zero for each account.
///
/// # Errors
/// `Rejected`: `ReversalExceedsTransfer` for more than is left, `CurrencyMismatch` for
/// another currency, `InsufficientFunds` where a receiver has spent its share.
pub async fn part(
    keys: &wallet::Scope,
    refund: &str,
    sale: TransferId,
    money: Money,
) -> Result<(), WalletError> {
    let back = Reverse::new(sale).with_money_in_proportion(money);
    keys.run(refund, back).await.map(drop)
}

/// Gives back all that is left, also where a receiver has spent its share: its balance may
/// become negative. For chargebacks, which a bank decides.
///
/// # Errors
/// `Rejected` with `ReversalExceedsTransfer` where nothing is left.
pub async fn charge_back(
    keys: &wallet::Scope,
    case: &str,
    sale: TransferId,
) -> Result<(), WalletError> {
    let back = Reverse::new(sale).with_force(true);
    keys.run(case, back).await.map(drop)
}
