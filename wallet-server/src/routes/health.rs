use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Code, Problem, errors};
use crate::{App, reply};

/// The answer if the server works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    status: Fine,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Fine {
    Ok,
}

const FINE: Health = Health { status: Fine::Ok };

errors!(LiveErrors: &[]);

/// The process runs.
#[utoipa::path(
    get, path = "/health/live", tag = "operation", operation_id = "is_live",
    responses((status = 200, body = Health), LiveErrors)
)]
pub(crate) async fn live() -> Response {
    reply::ok(&FINE)
}

errors!(ReadyErrors: &[Code::STORE_UNAVAILABLE, Code::SHUTTING_DOWN]);

/// The server can commit and is not shutting down. The latest commit succeeded, or, if
/// that is too old, a write of the store's own.
#[utoipa::path(
    get, path = "/health/ready", tag = "operation", operation_id = "is_ready",
    responses((status = 200, body = Health), ReadyErrors)
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    if app.is_draining() {
        let detail = "the server is shutting down";
        return Err(Problem::new(Code::SHUTTING_DOWN, detail));
    }
    // The time limit of the request must not come first.
    let most = app
        .settings()
        .request_timeout
        .checked_div(2)
        .unwrap_or_default();
    let checked = app.readiness().check(most).await;
    checked.map_err(|_| Problem::new(Code::STORE_UNAVAILABLE, "the store cannot commit now"))?;
    Ok(reply::ok(&FINE))
}
