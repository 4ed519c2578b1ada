use axum::extract::State;
use axum::response::Response;
use wallet_core::{AccountId, Rejection};

use crate::input::{DryRun, Id, Json, KeyHeader, Movement, Write};
use crate::output::TransferBody;
use crate::problem::{CHANGE, Code, Problem, WRITE, errors};
use crate::{App, schema};

/// The refusals of every deposit and withdrawal.
const MOVEMENT: &[Code] = &[
    Code::INVALID_FIELD,
    Code::INVALID_REQUEST,
    Code::of(Rejection::IdTaken),
    Code::of(Rejection::AccountNotFound),
    Code::of(Rejection::SystemAccount),
    Code::of(Rejection::CurrencyExponentMismatch),
    Code::of(Rejection::CurrencyMismatch),
    Code::of(Rejection::AccountClosed),
    Code::of(Rejection::AccountFrozen),
];

errors!(DepositErrors: WRITE, CHANGE, MOVEMENT, &[Code::of(Rejection::MaxBalanceExceeded)]);

/// Deposits money from a settlement account.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/deposits", tag = "transfers", operation_id = "deposit",
    params(("id" = schema::Id, Path), KeyHeader, DryRun), request_body = Movement,
    responses((status = 201, body = TransferBody), DepositErrors)
)]
pub(crate) async fn deposit(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    write: Write,
    Json(movement): Json<Movement>,
) -> Result<Response, Problem> {
    write.one(&app, movement.deposit(&app, key).await?).await
}

errors!(WithdrawErrors: WRITE, CHANGE, MOVEMENT, &[Code::of(Rejection::InsufficientFunds)]);

/// Withdraws money to a settlement account.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/withdrawals", tag = "transfers", operation_id = "withdraw",
    params(("id" = schema::Id, Path), KeyHeader, DryRun), request_body = Movement,
    responses((status = 201, body = TransferBody), WithdrawErrors)
)]
pub(crate) async fn withdraw(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    write: Write,
    Json(movement): Json<Movement>,
) -> Result<Response, Problem> {
    write.one(&app, movement.withdrawal(&app, key).await?).await
}
