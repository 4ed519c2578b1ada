use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use wallet_core::{AccountQuery, LedgerId};

use crate::problem::Problem;
use crate::{App, reply};

/// The process runs.
pub(crate) async fn live() -> Response {
    reply::ok(&json!({"status": "ok"}))
}

/// The store answers and the server is not shutting down.
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    if app.is_draining() {
        return Err(Problem::new(
            503,
            "shutting_down",
            "the server is shutting down",
        ));
    }
    let query = AccountQuery {
        ledger: LedgerId::default(),
        owner: None,
        currency: None,
        after: None,
        limit: 1,
    };
    app.wallet().list_accounts(&query).await?;
    Ok(reply::ok(&json!({"status": "ok"})))
}
