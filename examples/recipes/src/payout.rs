//! Payouts to a bank, which may fail days later.

use wallet::prelude::*;

/// Takes the money out of the books. Send it to the bank only after this has returned `Ok`,
/// with the id as the bank's reference.
///
/// # Errors
/// `Rejected` with `InsufficientFunds` where the account has too little.
pub async fn send(
    keys: &wallet::Scope,
    payout: u32,
    from: AccountId,
    money: Money,
) -> Result<TransferId, WalletError> {
    let out = Withdrawal::new(from, money, SettlementName::new("bank")?);
    let out = out.with_description("a payout")?;
    Ok(keys.run(&format!("payout-{payout}"), out).await?.id())
}

/// The bank has returned the money: the payout is undone. Sent twice, it is undone once.
///
/// # Errors
/// `Rejected` with `AccountClosed` where the account was closed meanwhile.
pub async fn returned(
    keys: &wallet::Scope,
    payout: u32,
    sent: TransferId,
) -> Result<(), WalletError> {
    let back = Reverse::new(sent).with_description("a payout came back")?;
    let key = format!("payout-{payout}-returned");
    keys.run(&key, back).await.map(drop)
}
