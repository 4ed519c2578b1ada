//! Accounts: open, show, list, freeze, unfreeze, close.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use wallet_core::store::AccountQuery;
use wallet_core::{Account, AccountId, LedgerId, Rejection};

use crate::input::{
    self, DryRun, Freeze, Id, Json, KeyHeader, NewAccount, Nothing, OptionalJson, Params, Write,
};
use crate::output::{AccountBody, Page, page_size};
use crate::problem::{CHANGE, Code, LIST, Problem, READ, WRITE, errors};
use crate::{App, lookup, reply, schema};

const NOT_FOUND: Code = Code::of(Rejection::AccountNotFound);
const SYSTEM: Code = Code::of(Rejection::SystemAccount);
const CLOSED: Code = Code::of(Rejection::AccountClosed);

errors!(OpenErrors: WRITE, &[
    Code::INVALID_FIELD,
    Code::INVALID_REQUEST,
    Code::of(Rejection::IdTaken),
    Code::of(Rejection::CurrencyExponentMismatch),
]);

/// Opens an account at balance zero.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "accounts", operation_id = "open_account",
    params(KeyHeader, DryRun), request_body = NewAccount,
    responses((status = 201, body = AccountBody), OpenErrors)
)]
pub(crate) async fn open(
    State(app): State<App>,
    write: Write,
    Json(new): Json<NewAccount>,
) -> Result<Response, Problem> {
    write.one(&app, new.command(&app)?).await
}

errors!(ShowErrors: READ, &[Code::INVALID_FIELD, NOT_FOUND]);

/// Returns an account with its present balance.
#[utoipa::path(
    get, path = "/v1/accounts/{id}", tag = "accounts", operation_id = "get_account",
    params(("id" = schema::Id, Path)),
    responses((status = 200, body = AccountBody), ShowErrors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    Id(key): Id<AccountId>,
) -> Result<Response, Problem> {
    let account = lookup::account(&app, key).await?;
    Ok(reply::ok(&AccountBody::of(&account)))
}

/// The filter of accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Only accounts of this owner.
    #[param(min_length = 1, max_length = 128)]
    owner: Option<String>,
    /// Only accounts in this currency.
    #[param(value_type = Option<schema::Currency>)]
    currency: Option<String>,
    /// The start of the page: `next` of the page before.
    cursor: Option<String>,
    /// The size of the page: 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

errors!(ListErrors: READ, LIST);

/// Lists accounts, in pages.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "accounts", operation_id = "list_accounts",
    params(Listing),
    responses((status = 200, body = Page<AccountBody>), ListErrors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    Params(listing): Params<Listing>,
) -> Result<Response, Problem> {
    let size = page_size(listing.limit)?;
    let currency = listing.currency.map(|code| input::currency(&app, &code));
    let query = AccountQuery {
        ledger: LedgerId::default(),
        owner: input::optional("owner", listing.owner.as_deref())?,
        currency: currency.transpose()?,
        after: input::optional::<AccountId>("cursor", listing.cursor.as_deref())?,
        limit: size.saturating_add(1),
    };
    let accounts = app.wallet().list_accounts(&query).await?;
    let cursor = |account: &Account| account.state.key.id.uuid().simple().to_string();
    let page = Page::of(accounts, size, cursor, AccountBody::of);
    Ok(reply::ok(&page))
}

errors!(FreezeErrors: WRITE, CHANGE, &[Code::INVALID_FIELD, NOT_FOUND, SYSTEM, CLOSED]);

/// Freezes an account: stops debits, credits, or both. Open holds can still be captured
/// and released unless both are frozen. A system account cannot be frozen.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/freeze", tag = "accounts", operation_id = "freeze_account",
    params(("id" = schema::Id, Path), KeyHeader, DryRun), request_body = Option<Freeze>,
    responses((status = 200, body = AccountBody), FreezeErrors)
)]
pub(crate) async fn freeze(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    write: Write,
    OptionalJson(freeze): OptionalJson<Freeze>,
) -> Result<Response, Problem> {
    write.one(&app, freeze.command(key.id)?).await
}

/// Lifts a freeze.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/unfreeze", tag = "accounts",
    operation_id = "unfreeze_account",
    params(("id" = schema::Id, Path), KeyHeader, DryRun), request_body = Option<Nothing>,
    responses((status = 200, body = AccountBody), FreezeErrors)
)]
pub(crate) async fn unfreeze(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    write: Write,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Response, Problem> {
    write.one(&app, input::unfreezing(key.id)).await
}

errors!(CloseErrors: WRITE, CHANGE, &[
    Code::INVALID_FIELD,
    NOT_FOUND,
    SYSTEM,
    CLOSED,
    Code::of(Rejection::HoldsOutstanding),
    Code::of(Rejection::BalanceNotZero),
]);

/// Closes an account for ever. Its balance must be zero, and it must have no holds. A
/// system account cannot be closed.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/close", tag = "accounts", operation_id = "close_account",
    params(("id" = schema::Id, Path), KeyHeader, DryRun), request_body = Option<Nothing>,
    responses((status = 200, body = AccountBody), CloseErrors)
)]
pub(crate) async fn close(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    write: Write,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Response, Problem> {
    write.one(&app, input::closing(key.id)).await
}
