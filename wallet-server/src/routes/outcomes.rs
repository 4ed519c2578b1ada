use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use wallet_core::{IdempotencyKey, LedgerId};

use crate::input::{NoBody, Params};
use crate::output::OutcomeBody;
use crate::problem::{Code, LIST, Problem, READ, errors};
use crate::{App, idempotency, reply, schema};

/// The part of a batch.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// The index of an item of a batch whose items were carried out each by itself.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    item: Option<u32>,
}

errors!(ShowErrors: READ, LIST, &[Code::STORE_CONFLICT, Code::OUTCOME_NOT_FOUND]);

/// The outcome recorded under an idempotency key; for a batch whose items stand each by
/// itself, item by item. Waits for a commit that the store has begun. 404 means that
/// nothing is recorded so far; a commit may still be on its way. Cancel the key before
/// you send the same request under another key.
#[utoipa::path(
    get, path = "/v1/outcomes/{key}", tag = "outcomes", operation_id = "get_outcome",
    params(("key" = schema::BareKey, Path, description = "The key without quotes, percent-encoded."), Part),
    responses((status = 200, body = OutcomeBody), ShowErrors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    key: Result<Path<String>, PathRejection>,
    Params(Part { item }): Params<Part>,
) -> Result<Response, Problem> {
    let (text, key) = bare_key(&app, key)?;
    let ledger = LedgerId::default();
    let unknown = || {
        let detail = "nothing was recorded under this key so far";
        Problem::new(Code::OUTCOME_NOT_FOUND, detail)
    };
    let body = if let Some(index) = item {
        let outcome = app.wallet().outcome(ledger, &key.item(index)).await?;
        let outcome = outcome.ok_or_else(unknown)?;
        OutcomeBody::of_one(&app, text, item, &outcome).await?
    } else {
        let recorded = app.wallet().outcomes(ledger, &key).await?;
        OutcomeBody::of(&app, text, &recorded.ok_or_else(unknown)?).await?
    };
    Ok(reply::ok(&body))
}

errors!(CancelErrors: READ, LIST, &[
    Code::INVALID_REQUEST,
    Code::STORE_REFUSED,
    Code::OVERLOADED,
    Code::SHUTTING_DOWN,
    Code::INDETERMINATE,
]);

/// Cancels a key: from now on nothing will be done under it. If nothing was recorded,
/// `cancelled` is recorded, and every later request under the key gets that answer. A
/// recorded outcome stays and is the answer. In a batch whose items stand each by itself,
/// items with an outcome keep it. An `Idempotency-Key` header or a body is refused, and
/// nothing is cancelled: the key stands in the path, and a repetition changes nothing.
/// 504 means that another request is about to commit under the key: retry.
#[utoipa::path(
    post, path = "/v1/outcomes/{key}/cancel", tag = "outcomes", operation_id = "cancel_key",
    params(("key" = schema::BareKey, Path, description = "The key without quotes, percent-encoded.")),
    responses((status = 200, body = OutcomeBody), CancelErrors)
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    key: Result<Path<String>, PathRejection>,
    Params(NoParams {}): Params<NoParams>,
    headers: HeaderMap,
    _none: NoBody,
) -> Result<Response, Problem> {
    if headers.contains_key(idempotency::IDEMPOTENCY_KEY) {
        let detail = "a cancellation takes no Idempotency-Key header: \
                      the key to cancel stands in the path";
        return Err(Problem::new(Code::INVALID_REQUEST, detail));
    }
    let (text, key) = bare_key(&app, key)?;
    let recorded = app.wallet().cancel(LedgerId::default(), &key).await?;
    Ok(reply::ok(&OutcomeBody::of(&app, text, &recorded).await?))
}

/// Checks that there are none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

fn bare_key(
    app: &App,
    key: Result<Path<String>, PathRejection>,
) -> Result<(String, IdempotencyKey), Problem> {
    let text = key.map_or_else(|_| String::new(), |Path(text)| text);
    let key = idempotency::key_in_path(app, &text)?;
    Ok((text, key))
}
