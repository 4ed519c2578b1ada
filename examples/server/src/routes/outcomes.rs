use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use wallet_core::{IdempotencyKey, KeyText, LedgerId};

use crate::input::Params;
use crate::output::{ItemResult, OutcomeBody};
use crate::problem::{Code, LIST, Problem, READ, errors};
use crate::{App, reply, schema};

/// Of which part of a batch.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// The index of an item of a batch whose items were carried out each by
    /// itself.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    item: Option<u32>,
}

errors!(ShowErrors: READ, LIST, &[Code::STORE_CONFLICT, Code::OUTCOME_NOT_FOUND]);

/// What was recorded under an idempotency key. Waits for a commit that is under
/// way, so 404 means that nothing was done under the key so far.
#[utoipa::path(
    get, path = "/v1/outcomes/{key}", tag = "outcomes", operation_id = "get_outcome",
    params(("key" = schema::BareKey, Path, description = "The bare key, percent-encoded."), Part),
    responses((status = 200, body = OutcomeBody), ShowErrors)
)]
pub(crate) async fn show(
    State(app): State<App>,
    key: Result<Path<String>, axum::extract::rejection::PathRejection>,
    Params(Part { item }): Params<Part>,
) -> Result<Response, Problem> {
    let text = key.map_or_else(|_| String::new(), |Path(text)| text);
    let checked = KeyText::new(&text).map_err(|error| Problem::field("key", error))?;
    let key = IdempotencyKey::new(app.scope(), checked);
    let key = item.map_or_else(|| key.clone(), |index| key.child(index));
    let outcome = app.wallet().outcome(LedgerId::default(), &key).await?;
    let unknown = || {
        Problem::new(
            Code::OUTCOME_NOT_FOUND,
            "nothing was recorded under this key",
        )
    };
    let outcome = outcome.ok_or_else(unknown)?;
    let results = ItemResult::of_receipts(&app, &outcome).await?;
    let results = results.unwrap_or_else(|problem| vec![ItemResult::refused(problem)]);
    Ok(reply::ok(&OutcomeBody::new(text, item, &outcome, results)))
}
