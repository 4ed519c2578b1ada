//! Reads a resource that must exist; otherwise the problem says that there is none.
//!
//! `routes` shows the resource. `input` reads it for what a request leaves out, such as
//! the currency of an account.

use wallet_core::ledger::{AccountKey, HoldKey, TransferKey, TransferWithReversals};
use wallet_core::{Account, Hold, Rejection};

use crate::app::App;
use crate::problem::{Code, Problem};

/// Reads an account.
pub(crate) async fn account(app: &App, key: AccountKey) -> Result<Account, Problem> {
    let account = app.wallet().account(key).await?;
    let unknown = || format!("no account {}", key.id);
    account.ok_or_else(|| none(Rejection::AccountNotFound, unknown()))
}

/// Reads a hold.
pub(crate) async fn hold(app: &App, key: HoldKey) -> Result<Hold, Problem> {
    let hold = app.wallet().hold(key).await?;
    let unknown = || format!("no hold {}", key.id);
    hold.ok_or_else(|| none(Rejection::HoldNotFound, unknown()))
}

/// Reads a transfer.
pub(crate) async fn transfer(
    app: &App,
    key: TransferKey,
) -> Result<TransferWithReversals, Problem> {
    let transfer = app.wallet().transfer(key).await?;
    let unknown = || format!("no transfer {}", key.id);
    transfer.ok_or_else(|| none(Rejection::TransferNotFound, unknown()))
}

fn none(rejection: Rejection, detail: String) -> Problem {
    Problem::new(Code::of(rejection), detail)
}
