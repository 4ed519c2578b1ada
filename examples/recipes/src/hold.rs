//! A deposit for a rental: held at the start, captured in part for a damage.

use wallet::prelude::*;

/// Reserves the deposit. The money stays the guest's, and the guest cannot spend it.
///
/// # Errors
/// `Rejected` with `InsufficientFunds` where the guest has too little.
pub async fn reserve(
    keys: &wallet::Scope,
    rental: u32,
    guest: AccountId,
    host: AccountId,
    deposit: Money,
) -> Result<HoldId, WalletError> {
    let hold = PlaceHold::new(guest, host, deposit);
    let key = format!("rental-{rental}-deposit");
    Ok(keys.run(&key, hold).await?.id())
}

/// Takes a part for a damage, and releases the rest in the same step.
///
/// # Errors
/// `Rejected` with `CaptureExceedsHold` where the damage exceeds the deposit.
pub async fn charge_damage(
    keys: &wallet::Scope,
    rental: u32,
    hold: HoldId,
    damage: Money,
) -> Result<(), WalletError> {
    let capture = Capture::new(hold).with_money(damage).with_is_final(true);
    let key = format!("rental-{rental}-damage");
    keys.run(&key, capture).await.map(drop)
}

/// Gives the whole deposit back.
///
/// # Errors
/// `Rejected` with `HoldNotPending` where the hold has ended.
pub async fn release(keys: &wallet::Scope, rental: u32, hold: HoldId) -> Result<(), WalletError> {
    let key = format!("rental-{rental}-release");
    keys.run(&key, Release::new(hold)).await.map(drop)
}
