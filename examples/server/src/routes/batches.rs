use axum::extract::State;
use axum::response::{IntoResponse, Response};
use wallet_core::{Command, Request};

use crate::idempotency::mark_replayed;
use crate::input::{DryRun, Json, KeyHeader, NewBatch, Write};
use crate::output::{BatchBody, ItemResult};
use crate::problem::{CHANGE, Code, Problem, REFUSALS, WRITE, errors};
use crate::{App, reply};

errors!(BatchErrors: WRITE, CHANGE, REFUSALS, &[Code::INVALID_FIELD, Code::INVALID_REQUEST]);

/// Carries out many requests: all or none, or each by itself. An atomic batch
/// that is refused answers the problem of the item that was, with `index` and
/// `results`.
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
    if batch.atomic {
        all_or_none(&app, write, &batch).await
    } else if write.is_dry_run {
        let detail = "only an atomic batch can be tried";
        Err(Problem::field("dry_run", detail))
    } else {
        Ok(each_by_itself(&app, &write, &batch).await)
    }
}

async fn all_or_none(app: &App, write: Write, batch: &NewBatch) -> Result<Response, Problem> {
    let count = batch.items().len();
    let mut commands = Vec::with_capacity(count);
    for (index, item) in batch.items().enumerate() {
        let command = item.command(app).await;
        commands.push(command.map_err(|problem| problem.at(index))?);
    }
    let status = if write.is_dry_run { 200 } else { 201 };
    let answer = write.submit(app, commands).await?;
    let mut response = match ItemResult::of_receipts(app, &answer.outcome).await? {
        Ok(results) => reply::json(status, &BatchBody { results }),
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

async fn each_by_itself(app: &App, write: &Write, batch: &NewBatch) -> Response {
    let mut commands: Vec<Result<Command, Problem>> = Vec::new();
    for item in batch.items() {
        commands.push(item.command(app).await);
    }
    let requests = commands.iter().zip(0_u32..).filter_map(|(command, index)| {
        let command = command.as_ref().ok()?.clone();
        Some(Request::new(write.key.child(index), command))
    });
    let answers = app.wallet().submit_all(requests.collect()).await;
    let are_replayed = answers
        .iter()
        .all(|answer| answer.as_ref().is_ok_and(|answer| answer.replayed));
    let mut answers = answers.into_iter();
    let mut results = Vec::with_capacity(commands.len());
    for command in commands {
        let result = match command {
            Err(problem) => Err(problem),
            Ok(_) => match answers.next() {
                Some(Ok(answer)) => one_of(app, &answer.outcome).await,
                Some(Err(error)) => Err(error.into()),
                None => Err(Problem::internal()),
            },
        };
        results.push(result.unwrap_or_else(ItemResult::refused));
    }
    let mut response = reply::ok(&BatchBody { results });
    mark_replayed(&mut response, are_replayed);
    response
}

/// The result of an item with an outcome of its own.
async fn one_of(app: &App, outcome: &wallet_core::Outcome) -> Result<ItemResult, Problem> {
    let results = ItemResult::of_receipts(app, outcome).await??;
    results.into_iter().next().ok_or_else(Problem::internal)
}
