//! The routes: one module a resource.

pub(crate) mod accounts;
pub(crate) mod health;
pub(crate) mod movements;
pub(crate) mod statements;
pub(crate) mod transfers;

use wallet_core::{Account, AccountKey, Receipt};

use crate::App;
use crate::body::TransferBody;
use crate::problem::Problem;

/// An account that exists.
pub(crate) async fn find(app: &App, key: AccountKey) -> Result<Account, Problem> {
    let account = app.wallet().account(key).await?;
    let unknown = || Problem::not_found("account_not_found", format!("no account {}", key.id));
    account.ok_or_else(unknown)
}

/// The body of a transfer that was just posted.
pub(crate) fn posted(receipt: &Receipt) -> Option<TransferBody> {
    match receipt {
        Receipt::Posted(posted) => Some(TransferBody::posted(&posted.transfer)),
        _ => None,
    }
}
