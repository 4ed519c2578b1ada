use axum::extract::State;
use axum::response::Response;
use wallet_core::Rejection;

use crate::App;
use crate::input::{DryRun, Json, KeyHeader, NewSystemTransfer, SystemTransfers, Write};
use crate::output::TransferBody;
use crate::problem::{CHANGE, Code, Problem, WRITE, errors};

errors!(CreateErrors: WRITE, CHANGE, &[
    Code::INVALID_FIELD,
    Code::INVALID_REQUEST,
    Code::SYSTEM_TRANSFERS_NOT_ALLOWED,
    Code::of(Rejection::IdTaken),
    Code::of(Rejection::AccountNotFound),
    Code::of(Rejection::NotSystemAccount),
    Code::of(Rejection::CurrencyExponentMismatch),
    Code::of(Rejection::CurrencyMismatch),
    Code::of(Rejection::InsufficientFunds),
    Code::of(Rejection::MaxBalanceExceeded),
]);

/// Moves money between system accounts, for example when the card processor pays out to
/// the bank. Refused unless the server was started with `--allow-system-transfers`.
#[utoipa::path(
    post, path = "/v1/system-transfers", tag = "transfers",
    operation_id = "create_system_transfer",
    params(KeyHeader, DryRun), request_body = NewSystemTransfer,
    responses((status = 201, body = TransferBody), CreateErrors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    _allowed: SystemTransfers,
    write: Write,
    Json(new): Json<NewSystemTransfer>,
) -> Result<Response, Problem> {
    write.one(&app, new.command(&app)?).await
}
