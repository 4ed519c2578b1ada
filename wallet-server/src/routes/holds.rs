//! Holds: place, show, list, capture, release.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use wallet_core::ledger::InLedger;
use wallet_core::store::HoldQuery;
use wallet_core::{AccountId, Hold, HoldId, LedgerId, Rejection};

use crate::input::{
    self, DryRun, Id, Json, KeyHeader, NewCapture, NewHold, Nothing, OptionalJson, Params, Write,
};
use crate::output::{HoldBody, HoldState, Page, page_size};
use crate::problem::{CHANGE, Code, LIST, Problem, READ, WRITE, errors};
use crate::{App, lookup, reply, schema};

const NOT_FOUND: Code = Code::of(Rejection::HoldNotFound);
const NO_ACCOUNT: Code = Code::of(Rejection::AccountNotFound);

errors!(PlaceErrors: WRITE, CHANGE, &[
    Code::INVALID_FIELD,
    Code::INVALID_REQUEST,
    NO_ACCOUNT,
    Code::of(Rejection::IdTaken),
    Code::of(Rejection::ExpiryPassed),
    Code::of(Rejection::ExpiryTooFar),
    Code::of(Rejection::SystemAccount),
    Code::of(Rejection::CurrencyExponentMismatch),
    Code::of(Rejection::CurrencyMismatch),
    Code::of(Rejection::AccountClosed),
    Code::of(Rejection::AccountFrozen),
    Code::of(Rejection::InsufficientFunds),
    Code::of(Rejection::MaxBalanceExceeded),
]);

/// Reserves money on one account for another.
#[utoipa::path(
    post, path = "/v1/holds", tag = "holds", operation_id = "place_hold",
    params(KeyHeader, DryRun), request_body = NewHold,
    responses((status = 201, body = HoldBody), PlaceErrors)
)]
pub(crate) async fn place(
    State(app): State<App>,
    write: Write,
    Json(new): Json<NewHold>,
) -> Result<Response, Problem> {
    write.one(&app, new.command(&app)?).await
}

errors!(ShowErrors: READ, &[Code::INVALID_FIELD, NOT_FOUND]);

/// Returns a hold in its present state.
#[utoipa::path(
    get, path = "/v1/holds/{id}", tag = "holds", operation_id = "get_hold",
    params(("id" = schema::Id, Path)),
    responses((status = 200, body = HoldBody), ShowErrors)
)]
pub(crate) async fn show(State(app): State<App>, Id(key): Id<HoldId>) -> Result<Response, Problem> {
    Ok(reply::ok(&HoldBody::of(&lookup::hold(&app, key).await?)))
}

/// The filter of holds.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Only holds from or towards this account.
    #[param(value_type = schema::Id)]
    account: String,
    /// Only holds in this state.
    #[param(inline)]
    status: Option<HoldState>,
    /// The start of the page: `next` of the page before.
    cursor: Option<String>,
    /// The size of the page: 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

errors!(ListErrors: READ, LIST, &[NO_ACCOUNT]);

/// Lists the holds of an account, in pages.
#[utoipa::path(
    get, path = "/v1/holds", tag = "holds", operation_id = "list_holds",
    params(Listing),
    responses((status = 200, body = Page<HoldBody>), ListErrors)
)]
pub(crate) async fn list(
    State(app): State<App>,
    Params(listing): Params<Listing>,
) -> Result<Response, Problem> {
    let size = page_size(listing.limit)?;
    let account: AccountId = input::field("account", &listing.account)?;
    let query = HoldQuery {
        account: InLedger::new(LedgerId::default(), account),
        status: listing.status.map(Into::into),
        after: input::optional::<HoldId>("cursor", listing.cursor.as_deref())?,
        limit: size.saturating_add(1),
    };
    lookup::account(&app, query.account).await?;
    let holds = app.wallet().list_holds(&query).await?;
    let cursor = |hold: &Hold| hold.key.id.uuid().simple().to_string();
    Ok(reply::ok(&Page::of(holds, size, cursor, HoldBody::of)))
}

const ENDING: &[Code] = &[
    Code::INVALID_FIELD,
    NOT_FOUND,
    Code::of(Rejection::HoldNotPending),
    Code::of(Rejection::AccountFrozen),
];

errors!(CaptureErrors: WRITE, CHANGE, ENDING, &[
    Code::INVALID_REQUEST,
    Code::of(Rejection::IdTaken),
    Code::of(Rejection::HoldExpired),
    Code::of(Rejection::CaptureExceedsHold),
]);

/// Captures a hold, all of it or a part. The answer names the transfer that the capture
/// made.
#[utoipa::path(
    post, path = "/v1/holds/{id}/capture", tag = "holds", operation_id = "capture_hold",
    params(("id" = schema::Id, Path), KeyHeader, DryRun), request_body = Option<NewCapture>,
    responses((status = 200, body = HoldBody), CaptureErrors)
)]
pub(crate) async fn capture(
    State(app): State<App>,
    Id(key): Id<HoldId>,
    write: Write,
    OptionalJson(new): OptionalJson<NewCapture>,
) -> Result<Response, Problem> {
    write.one(&app, new.command(&app, key).await?).await
}

errors!(ReleaseErrors: WRITE, CHANGE, ENDING);

/// Releases what a hold still reserves.
#[utoipa::path(
    post, path = "/v1/holds/{id}/release", tag = "holds", operation_id = "release_hold",
    params(("id" = schema::Id, Path), KeyHeader, DryRun), request_body = Option<Nothing>,
    responses((status = 200, body = HoldBody), ReleaseErrors)
)]
pub(crate) async fn release(
    State(app): State<App>,
    Id(key): Id<HoldId>,
    write: Write,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> Result<Response, Problem> {
    write.one(&app, input::releasing(key.id)).await
}
