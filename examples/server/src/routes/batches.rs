use axum::extract::State;
use axum::response::{IntoResponse, Response};
use wallet_core::{BulkRequest, Command, Request};

use crate::idempotency::mark_replayed;
use crate::input::{DryRun, Json, KeyHeader, NewBatch, Write};
use crate::output::{BatchBody, ItemResult};
use crate::problem::{CHANGE, Code, Problem, REFUSALS, WRITE, errors};
use crate::{App, reply};

errors!(BatchErrors: WRITE, CHANGE, REFUSALS, &[
    Code::INVALID_FIELD,
    Code::INVALID_REQUEST,
    Code::SYSTEM_TRANSFERS_NOT_ALLOWED,
]);

/// Carries out many requests: all or none, or each by itself in the order given.
/// All of them are checked first: one that is malformed or names what does not
/// exist answers its problem with `index`, and nothing is done. An atomic batch
/// that is refused answers the problem of the item that was, with `index` and
/// `results`. Under its key no other batch and no other request is ever carried
/// out; the same again goes on at the first item without an outcome.
#[utoipa::path(
    post, path = "/v1/batches", tag = "batches", operation_id = "create_batch",
    params(KeyHeader, DryRun), request_body = NewBatch,
    responses(
        (status = 200, body = BatchBody, description = "Each carried out by itself"),
        (status = 201, body = BatchBody, description = "All carried out"),
        BatchErrors,
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    write: Write,
    Json(batch): Json<NewBatch>,
) -> Result<Response, Problem> {
    batch.check()?;
    if write.is_dry_run && !batch.atomic {
        let detail = "only an atomic batch can be tried";
        return Err(Problem::field("dry_run", detail));
    }
    let mut commands = Vec::with_capacity(batch.items().len());
    for (index, item) in batch.items().enumerate() {
        let command = item.command(&app).await;
        commands.push(command.map_err(|problem| problem.at(index))?);
    }
    if batch.atomic {
        all_or_none(&app, write, commands).await
    } else {
        each_by_itself(&app, write, commands).await
    }
}

async fn all_or_none(app: &App, write: Write, commands: Vec<Command>) -> Result<Response, Problem> {
    let count = commands.len();
    let status = if write.is_dry_run { 200 } else { 201 };
    let request = Request::of_many(write.key.clone(), commands);
    let answer = write.submit(app, request).await?;
    let mut response = match ItemResult::of_receipts(app, &answer.outcome).await? {
        Ok(results) => reply::json(status, &BatchBody { results }),
        Err(problem) if answer.outcome.is_cancelled() => problem.into_response(),
        Err(problem) => {
            let rejected = answer.outcome.result.as_ref().err();
            let culprit = rejected.map_or(0, |rejected| usize::from(rejected.command));
            let results = ItemResult::all_refused(&problem, culprit, count);
            problem.at(culprit).with_results(results).into_response()
        }
    };
    mark_replayed(&mut response, answer.replayed);
    Ok(response)
}

async fn each_by_itself(
    app: &App,
    write: Write,
    commands: Vec<Command>,
) -> Result<Response, Problem> {
    let bulk = BulkRequest::new(write.key, commands);
    let answers = app.wallet().submit_bulk(bulk).await?;
    let mut are_replayed = true;
    let mut results = Vec::with_capacity(answers.len());
    for answer in answers {
        let result = match answer {
            Ok(answer) => {
                are_replayed &= answer.replayed;
                ItemResult::of_item(app, &answer.outcome).await?
            }
            Err(error) => {
                are_replayed = false;
                ItemResult::refused(error.into())
            }
        };
        results.push(result);
    }
    let mut response = reply::ok(&BatchBody { results });
    mark_replayed(&mut response, are_replayed);
    Ok(response)
}
