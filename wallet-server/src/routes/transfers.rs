//! Transfers: create, show, reverse.

use axum::extract::State;
use axum::response::Response;
use wallet_core::{Rejection, TransferId};

use crate::input::{DryRun, Id, Json, KeyHeader, NewReversal, NewTransfer, OptionalJson, Write};
use crate::output::TransferBody;
use crate::problem::{CHANGE, Code, Problem, READ, WRITE, errors};
use crate::{App, lookup, reply, schema};

const NOT_FOUND: Code = Code::of(Rejection::TransferNotFound);

/// The problems of a movement of money.
const MOVING: &[Code] = &[
    Code::INVALID_FIELD,
    Code::INVALID_REQUEST,
    Code::of(Rejection::IdTaken),
    Code::of(Rejection::SystemAccount),
    Code::of(Rejection::AccountClosed),
    Code::of(Rejection::AccountFrozen),
    Code::of(Rejection::InsufficientFunds),
    Code::of(Rejection::MaxBalanceExceeded),
];

errors!(CreateErrors: WRITE, CHANGE, MOVING, &[
    Code::of(Rejection::AccountNotFound),
    Code::of(Rejection::CurrencyExponentMismatch),
    Code::of(Rejection::CurrencyMismatch),
]);

/// Moves money between accounts.
#[utoipa::path(
    post, path = "/v1/transfers", tag = "transfers", operation_id = "create_transfer",
    params(KeyHeader, DryRun), request_body = NewTransfer,
    responses((status = 201, body = TransferBody), CreateErrors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    write: Write,
    Json(new): Json<NewTransfer>,
) -> Result<Response, Problem> {
    write.one(&app, new.command(&app)?).await
}

errors!(ShowErrors: READ, &[Code::INVALID_FIELD, NOT_FOUND]);

/// Returns a transfer in its present state.
#[utoipa::path(
    get, path = "/v1/transfers/{id}", tag = "transfers", operation_id = "get_transfer",
    params(("id" = schema::Id, Path)),
    responses((status = 200, body = TransferBody), ShowErrors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    Id(key): Id<TransferId>,
) -> Result<Response, Problem> {
    let transfer = lookup::transfer(&app, key).await?;
    Ok(reply::ok(&TransferBody::of(&transfer)))
}

errors!(ReverseErrors: WRITE, CHANGE, MOVING, &[
    NOT_FOUND,
    Code::of(Rejection::NotReversible),
    Code::of(Rejection::LegRequired),
    Code::of(Rejection::LegNotFound),
    Code::of(Rejection::ReversalExceedsTransfer),
]);

/// Reverses a transfer, all of it or a part.
#[utoipa::path(
    post, path = "/v1/transfers/{id}/reverse", tag = "transfers",
    operation_id = "reverse_transfer",
    params(("id" = schema::Id, Path), KeyHeader, DryRun), request_body = Option<NewReversal>,
    responses((status = 201, body = TransferBody), ReverseErrors)
)]
pub(crate) async fn reverse(
    State(app): State<App>,
    Id(key): Id<TransferId>,
    write: Write,
    OptionalJson(new): OptionalJson<NewReversal>,
) -> Result<Response, Problem> {
    write.one(&app, new.command(&app, key).await?).await
}
