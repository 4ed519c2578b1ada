//! The metrics, for the operators.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::problem::{Problem, errors};

errors!(ShowErrors: &[]);

/// Encodes the counters for Prometheus, in the `OpenMetrics` text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "get_metrics",
    responses((status = 200, body = String,
        content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"), ShowErrors)
)]
pub(crate) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let text = app.metrics().text().await;
    let text = text.map_err(|_| Problem::internal())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
