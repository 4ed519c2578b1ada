//! A sale that is kept apart until the buyer has the goods.
//!
//! Each sale has an account of its own, so its balance says what is still owed.

use wallet::prelude::*;
use wallet::{LedgerId, Share};

/// The buyer pays into the sale's account.
///
/// # Errors
/// `Rejected` with `InsufficientFunds` where the buyer has too little.
pub async fn pay_in(
    books: &Books,
    sale: u32,
    buyer: AccountId,
    price: Money,
) -> Result<AccountId, WalletError> {
    let owner: Owner = "escrow".parse()?;
    let label = format!("sale-{sale}");
    let id = AccountId::derived(LedgerId::default(), &owner, price.currency, &label);
    let open = OpenAccount::new(owner, price.currency).with_id(id);
    let escrow = books.ensure_account(open).await?.id();
    let pay = PostTransfer::simple(buyer, escrow, price);
    books
        .scope("escrow")?
        .run(&format!("{label}-in"), pay)
        .await?;
    Ok(escrow)
}

/// The goods have arrived: 95 percent for the merchant, 5 for the platform. Rounding leaves
/// no unit behind.
///
/// # Errors
/// `Rejected` with `InsufficientFunds` where the buyer has not paid.
pub async fn settle(
    books: &Books,
    sale: u32,
    escrow: AccountId,
    price: Money,
    [merchant, platform]: [AccountId; 2],
) -> Result<(), WalletError> {
    let shares = [(merchant, 9_500), (platform, 500)];
    let shares = shares.map(|(to, share_bp)| Share { to, share_bp });
    let split = Split::new(escrow, price, shares.to_vec());
    let key = format!("sale-{sale}-out");
    books.scope("escrow")?.run(&key, split).await.map(drop)
}

/// The goods never came: the buyer gets everything back. Under the key of
/// [`settle`], so only one of the two can happen.
///
/// # Errors
/// `IdempotencyMismatch` where the sale was settled.
pub async fn give_back(
    books: &Books,
    sale: u32,
    escrow: AccountId,
    buyer: AccountId,
    price: Money,
) -> Result<(), WalletError> {
    let back = PostTransfer::simple(escrow, buyer, price);
    let key = format!("sale-{sale}-out");
    books.scope("escrow")?.run(&key, back).await.map(drop)
}
