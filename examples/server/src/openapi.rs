//! What `/openapi.json` serves.

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;

use crate::problem::ProblemBody;

/// What the document says beyond the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Wallet",
        description = "A double-entry wallet ledger.\n\n\
            Amounts are exact decimal strings, times RFC 3339 to the microsecond. Every POST \
            takes an `Idempotency-Key`: the same request again under its key answers the first \
            status and body, marked `Idempotency-Replayed: true`, and does nothing. Errors are \
            problem+json (RFC 9457) with a stable `code`; 503 did nothing, 504 may have: send \
            the same again under the same key.",
    ),
    components(schemas(ProblemBody)),
    tags(
        (name = "accounts", description = "Accounts, balances, statements"),
        (name = "transfers", description = "Money that moves"),
        (name = "holds", description = "Money reserved, captured, released"),
        (name = "batches", description = "Many requests in one"),
        (name = "outcomes", description = "What was recorded under a key"),
        (name = "operation", description = "For those who run the server"),
    )
)]
struct Base;

pub(crate) fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// The document, written out once.
#[derive(Debug, Clone)]
pub(crate) struct Document(Bytes);

pub(crate) fn finish(api: utoipa::openapi::OpenApi) -> Document {
    Document(serde_json::to_vec(&api).unwrap_or_default().into())
}

impl Document {
    pub(crate) fn response(self) -> Response {
        let mut response = self.0.into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}
