//! Several tenants in one database: a ledger for each. Nothing crosses from one to another.

use wallet::prelude::*;
use wallet::{LedgerId, Scope};

/// The keys and accounts of a tenant. Give the number of a tenant to no other one, ever.
///
/// # Errors
/// Never, for this scope.
pub fn tenant(books: &Books, number: u32) -> Result<Scope, WalletError> {
    Ok(books.scope("api")?.in_ledger(LedgerId::new(number)))
}

/// Opens a customer's account in the tenant's ledger.
///
/// # Errors
/// The same as [`Scope::ensure_account`].
pub async fn account(
    tenant: &Scope,
    customer: &str,
    currency: Currency,
) -> Result<AccountId, WalletError> {
    let open = OpenAccount::new(customer.parse()?, currency);
    Ok(tenant.ensure_account(open).await?.id())
}
