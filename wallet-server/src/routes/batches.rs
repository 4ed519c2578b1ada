//! Batches: several requests in one, all or none, or each by itself.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use wallet_core::request::BulkRequest;
use wallet_core::service::Answer;
use wallet_core::{Command, Request, WalletError};

use crate::idempotency::mark_replayed;
use crate::input::{DryRun, Json, KeyHeader, NewBatch, Write};
use crate::output::{BatchBody, ItemResult};
use crate::problem::{CHANGE, Code, Problem, Progress, REFUSALS, WRITE, errors};
use crate::{App, reply};

errors!(BatchErrors: WRITE, CHANGE, REFUSALS, &[
    Code::INVALID_FIELD,
    Code::INVALID_REQUEST,
    Code::SYSTEM_TRANSFERS_NOT_ALLOWED,
    Code::BATCH_UNFINISHED,
]);

/// Carries out several requests: all or none, or each by itself in the order given. All
/// items are checked first. If one is malformed, or its amount has no currency because
/// its object does not exist, the answer is its problem with `index`, and nothing is
/// done. A refused atomic batch answers the problem of the refused item, with `index` and
/// `results`. In a batch that is not atomic, an item that names a missing object is
/// refused by itself, and the others are carried out. If each item has a final answer,
/// the batch answers 200 with all of them. Otherwise it answers 503 `batch_unfinished`
/// with `answered` and `items`. A repetition of the batch under its key then continues at
/// the first item without an answer, and `GET /v1/outcomes/{key}` shows each item. An
/// item that no retry can help (`store_refused`, `internal`) answers its problem with
/// `index`. A batch whose key was cancelled before any item was carried out answers 409
/// `cancelled`. Under the key of a batch no other batch and no other request is ever
/// carried out.
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
            problem.at(culprit).with_results(&results).into_response()
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
    let answers = app.wallet().submit_bulk_raw(bulk).await?;
    if let Some(Ok(first)) = answers.first()
        && first.outcome.is_cancelled()
    {
        // An item cannot be cancelled alone before it has run; the key was cancelled.
        return Ok(cancelled(first));
    }
    let answers = all_answered(answers)?;
    let are_replayed = answers.iter().all(|answer| answer.replayed);
    let mut results = Vec::with_capacity(answers.len());
    for answer in &answers {
        results.push(ItemResult::of_item(app, &answer.outcome).await?);
    }
    let mut response = reply::ok(&BatchBody { results });
    mark_replayed(&mut response, are_replayed);
    Ok(response)
}

/// What is recorded under a key that was cancelled before any item was carried out.
fn cancelled(first: &Answer) -> Response {
    let rejected = first.outcome.result.as_ref().err();
    let problem = rejected.map_or_else(Problem::internal, |rejected| (*rejected).into());
    let mut response = problem.into_response();
    mark_replayed(&mut response, first.replayed);
    response
}

/// The answers, if each item has a final one. Otherwise a client that reads only the
/// status must not take the batch for complete.
fn all_answered(answers: Vec<Result<Answer, WalletError>>) -> Result<Vec<Answer>, Problem> {
    let items = answers.len();
    let mut stand = Vec::with_capacity(items);
    let mut failed = None;
    for (index, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(answer) => stand.push(answer),
            // The items behind the first failed one failed because of it.
            Err(error) => failed = failed.or(Some((index, error))),
        }
    }
    let Some((index, error)) = failed else {
        return Ok(stand);
    };
    let progress = Progress {
        answered: stand.len(),
        items,
    };
    Err(Problem::from(error).unfinished(index, progress))
}
