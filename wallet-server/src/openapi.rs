//! Builds the document behind `/openapi.json`.

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{HeaderBuilder, OpenApi, RefOr};

use crate::problem::ProblemBody;
use crate::schema::BareKey;

/// The parts of the document beyond the routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Wallet",
        description = "A double-entry wallet ledger.\n\n\
            Amounts are exact decimal strings, times RFC 3339 to the microsecond. Every POST \
            that moves or changes anything takes an `Idempotency-Key`: the same request again under its key answers the first \
            status and body, marked `Idempotency-Replayed: true`, and does nothing; another request under it is 422. \
            Errors are \
            problem+json (RFC 9457) with a stable `code`; `retryable` says whether it helps to send \
            the same again under the same key. 503 did nothing (but `batch_unfinished`: a part), \
            504 may have.",
    ),
    components(schemas(ProblemBody, BareKey)),
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

/// The parts of the operators' document beyond its routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Wallet administration", description = "For those who run the server."),
    tags((name = "operation", description = "For those who run the server"))
)]
struct AdminBase;

pub(crate) fn admin_base() -> OpenApi {
    AdminBase::openapi()
}

pub(crate) fn base() -> OpenApi {
    Base::openapi()
}

/// Adds what follows from an operation's kind, and encodes the document.
pub(crate) fn finish(mut api: OpenApi) -> Document {
    for path in api.paths.paths.values_mut() {
        if let Some(operation) = &mut path.post {
            dry_run(operation);
            optional_body(operation);
        }
        let operations = [path.get.as_mut(), path.post.as_mut()];
        for operation in operations.into_iter().flatten() {
            describe(operation);
        }
    }
    Document(serde_json::to_vec(&api).unwrap_or_default().into())
}

/// A dry run answers 200 instead of 201.
fn dry_run(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    if responses.contains_key("200") {
        return;
    }
    if let Some(RefOr::T(created)) = responses.get("201") {
        let mut tried = created.clone();
        tried.description = String::from("What a dry run would have created");
        responses.insert("200".to_owned(), tried.into());
    }
}

/// An optional body may be absent, but not `null`.
fn optional_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else {
            continue;
        };
        if let Some(RefOr::T(Schema::OneOf(either))) = &content.schema {
            let given = either
                .items
                .iter()
                .find(|item| matches!(item, RefOr::Ref(_)));
            content.schema = given.cloned();
        }
    }
}

fn describe(operation: &mut Operation) {
    let is_write = operation.request_body.is_some();
    // A batch can create several resources.
    let is_one = operation.operation_id.as_deref() != Some("create_batch");
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        if response.description.is_empty() {
            let is_created = status == "201";
            response.description = String::from(if is_created { "Created" } else { "OK" });
        }
        let mut header = |name: &str, text: &str| {
            let header = HeaderBuilder::new().description(Some(text)).build();
            response.headers.insert(name.to_owned(), header.into());
        };
        header("X-Request-Id", "The caller's own, or made");
        if status == "201" && is_one {
            header("Location", "Where what was created is");
        }
        let is_recorded = ["200", "201", "404", "409", "422"].contains(&status.as_str());
        if is_write && is_recorded {
            header(
                "Idempotency-Replayed",
                "`true` where it was answered before",
            );
        }
        if ["429", "503", "504"].contains(&status.as_str()) {
            header("Retry-After", "When to come back, in seconds");
        }
    }
}

/// The encoded document.
#[derive(Debug, Clone)]
pub(crate) struct Document(Bytes);

impl Document {
    pub(crate) fn response(self) -> Response {
        let mut response = self.0.into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}
