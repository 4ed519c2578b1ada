use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use wallet_core::{Answer, Command, Receipt, Request};

use crate::App;
use crate::idempotency::{self, REPLAYED};
use crate::problem::Problem;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let json = HeaderValue::from_static("application/json");
            (status, [(header::CONTENT_TYPE, json)], bytes).into_response()
        }
        Err(_) => Problem::new(500, "internal", "the answer could not be written").into_response(),
    }
}

/// A JSON answer with status 200.
pub(crate) fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// Carries out one command under the caller's key, and answers 201 with what
/// `render` makes of its receipt. The body comes from the recorded outcome
/// alone, so that a replay is the same to the byte.
pub(crate) async fn create<T: Serialize>(
    app: &App,
    headers: &HeaderMap,
    command: impl Into<Command>,
    render: impl FnOnce(&Receipt) -> Option<T>,
) -> Result<Response, Problem> {
    let key = idempotency::key(app, headers)?;
    let answer = app.wallet().submit(Request::new(key, command)).await?;
    let mut response = match body(&answer, render) {
        Ok(body) => json(StatusCode::CREATED, &body),
        Err(problem) => problem.into_response(),
    };
    if answer.replayed {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, yes);
    }
    Ok(response)
}

fn body<T>(answer: &Answer, render: impl FnOnce(&Receipt) -> Option<T>) -> Result<T, Problem> {
    let receipt = answer.accepted()?.first();
    let body = receipt.and_then(render);
    body.ok_or_else(|| Problem::new(500, "internal", "the receipt is of another kind"))
}
