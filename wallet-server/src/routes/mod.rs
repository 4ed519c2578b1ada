//! The routes: one module for each resource.

pub(crate) mod accounts;
pub(crate) mod batches;
pub(crate) mod health;
pub(crate) mod holds;
pub(crate) mod movements;
pub(crate) mod outcomes;
pub(crate) mod statements;
pub(crate) mod system;
pub(crate) mod transfers;

use wallet_core::ledger::AccountKey;
use wallet_core::{Account, Rejection};

use crate::App;
use crate::problem::{Code, Problem};

/// Reads an account, which must exist.
pub(crate) async fn find(app: &App, key: AccountKey) -> Result<Account, Problem> {
    let account = app.wallet().account(key).await?;
    let unknown = || {
        let code = Code::of(Rejection::AccountNotFound);
        Problem::new(code, format!("no account {}", key.id))
    };
    account.ok_or_else(unknown)
}
