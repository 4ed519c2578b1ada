use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use wallet_core::{AccountQuery, LedgerId};

use crate::problem::{Code, Problem, READ, errors};
use crate::{App, reply};

/// That all is well.
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

errors!(ReadyErrors: READ, &[Code::SHUTTING_DOWN]);

/// The store answers and the server is not shutting down.
#[utoipa::path(
    get, path = "/health/ready", tag = "operation", operation_id = "is_ready",
    responses((status = 200, body = Health), ReadyErrors)
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    if app.is_draining() {
        let detail = "the server is shutting down";
        return Err(Problem::new(Code::SHUTTING_DOWN, detail));
    }
    let query = AccountQuery {
        ledger: LedgerId::default(),
        owner: None,
        currency: None,
        after: None,
        limit: 1,
    };
    app.wallet().list_accounts(&query).await?;
    Ok(reply::ok(&FINE))
}
