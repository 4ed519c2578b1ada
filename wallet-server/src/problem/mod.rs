//! Error answers.
//!
//! A [`Problem`] knows no other body: the results of a refused batch come to it encoded
//! ([`Encoded`]). `code` lists the codes, `documented` the problems of each kind of
//! operation.

mod code;
mod documented;
mod encoded;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use wallet_core::{Rejected, Rejection, WalletError};

pub use code::Code;
pub(crate) use documented::{ANY, CHANGE, LIST, READ, REFUSALS, WRITE, errors, responses};
use encoded::Encoded;

use crate::log::Chain;
use crate::reply;

/// The `Retry-After` of a problem that a retry can solve, in seconds.
const RETRY_AFTER_SECS: u32 = 1;

/// An error answer: problem+json (RFC 9457) with a stable `code`.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    more: Box<More>,
}

/// The fields that only some problems have.
#[derive(Debug, Clone, Default)]
struct More {
    field: Option<String>,
    subject: Option<String>,
    index: Option<u16>,
    progress: Option<Progress>,
    results: Option<Vec<Encoded>>,
}

/// The progress of a batch whose items stand each by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// How many items were answered for good this time.
    pub(crate) answered: usize,
    /// How many items the batch has.
    pub(crate) items: usize,
}

/// The body of an error answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// A name of the code as a URI.
    r#type: String,
    /// The status in words.
    title: &'static str,
    /// The status again.
    status: u16,
    /// What is wrong: stable, for programs.
    code: &'static str,
    /// What is wrong, for people.
    detail: String,
    /// Whether the same request under the same key may be answered otherwise: then send
    /// it again, after `Retry-After` where there is one. Where it is false, the answer
    /// stands, or the request must change. It is never wrong to send it again: at most
    /// once it is carried out.
    retryable: bool,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The account, transfer or hold that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Id>)]
    subject: Option<String>,
    /// The index of the batch item that it is about, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u16>,
    /// How many items of the batch were answered for good this time, where not all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100)]
    answered: Option<usize>,
    /// How many items the batch has, where not all were answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    items: Option<usize>,
    /// One result for each item of the refused batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    results: Option<Vec<Encoded>>,
}

impl Problem {
    /// A problem of this code.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            more: Box::default(),
        }
    }

    /// 400 because of one field.
    #[must_use]
    pub fn field(field: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        let field = field.into();
        let detail = format!("{field}: {detail}");
        let mut problem = Self::new(Code::INVALID_FIELD, detail);
        problem.more.field = Some(field);
        problem
    }

    /// The server failed; the cause is not shown to the caller.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::INTERNAL, "the request failed")
    }

    /// The same for item `index` of a batch.
    pub(crate) fn at(mut self, index: usize) -> Self {
        self.more.index = u16::try_from(index).ok();
        self
    }

    /// Why a batch whose items stand each by itself is not complete: item `index` has no
    /// final answer because of this problem. If a retry can help, the problem is
    /// `batch_unfinished`.
    pub(crate) fn unfinished(self, index: usize, progress: Progress) -> Self {
        let Progress { answered, items } = progress;
        let is_retryable = self.code.is_retryable();
        let (code, then) = if is_retryable {
            let then = "; send the same batch again under the same key: it goes on there";
            (Code::BATCH_UNFINISHED, then)
        } else {
            (self.code, "")
        };
        let why = &self.detail;
        let detail = format!(
            "{answered} of {items} items were answered this time; item {index}: {why}{then}"
        );
        let mut problem = Self::new(code, detail).at(index);
        problem.more.progress = Some(progress);
        problem
    }

    /// The same with a result for each item.
    pub(crate) fn with_results(mut self, results: &[impl Serialize]) -> Self {
        // The results are plain structs, so encoding them cannot fail.
        self.more.results = results.iter().map(Encoded::of).collect();
        self
    }

    /// Its code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The whole answer as bytes, for a connection that is not served.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or_default();
        let body = serde_json::to_vec(&self.clone().body()).unwrap_or_default();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n\
             content-length: {length}\r\nretry-after: {RETRY_AFTER_SECS}\r\n\
             connection: close\r\n\r\n"
        );
        let mut bytes = head.into_bytes();
        bytes.extend(body);
        bytes
    }

    pub(crate) fn body(self) -> ProblemBody {
        let status = self.code.status();
        let canonical = StatusCode::from_u16(status).ok();
        let title = canonical.and_then(|status| status.canonical_reason());
        ProblemBody {
            r#type: format!("urn:wallet:problem:{}", self.code.text()),
            title: title.unwrap_or("Error"),
            status,
            code: self.code.text(),
            detail: self.detail,
            retryable: self.code.is_retryable(),
            field: self.more.field,
            subject: self.more.subject,
            index: self.more.index,
            answered: self.more.progress.map(|progress| progress.answered),
            items: self.more.progress.map(|progress| progress.items),
            results: self.more.results,
        }
    }
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        if rejected.rejection == Rejection::Cancelled {
            let detail = "the key was cancelled: nothing is done under it";
            return Self::new(Code::of(rejected.rejection), detail);
        }
        let words = rejected.rejection.code().replace('_', " ");
        let subject = rejected.subject.to_string();
        let detail = format!("{words}: {subject}");
        let mut problem = Self::new(Code::of(rejected.rejection), detail);
        problem.more.subject = Some(subject);
        problem
    }
}

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Self {
        let code = Code::of_error(&error);
        if let WalletError::Rejected(rejected) = error {
            return rejected.into();
        }
        if let WalletError::InvalidItem { index, error } = error {
            return Self::new(code, error.to_string()).at(index);
        }
        match code {
            Code::INTERNAL => {
                tracing::error!(error = %Chain(&error), "the service failed");
                Self::internal()
            }
            Code::INDETERMINATE => {
                tracing::warn!(error = %Chain(&error), "a commit is not known");
                let detail =
                    "whether it was carried out is not known: send it again under the same key";
                Self::new(code, detail)
            }
            Code::STORE_UNAVAILABLE | Code::STORE_CONFLICT => {
                tracing::warn!(error = %Chain(&error), "the store is not available");
                Self::new(code, "the store is not available")
            }
            Code::STORE_REFUSED => {
                tracing::warn!(error = %Chain(&error), "the store refused a request");
                Self::new(code, "the store refused the request")
            }
            _ => Self::new(code, error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let code = self.code;
        let status = StatusCode::from_u16(code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = reply::bytes(status, "application/problem+json", &self.body());
        response.extensions_mut().insert(code);
        if code.is_passing() {
            let secs = HeaderValue::from(RETRY_AFTER_SECS);
            response.headers_mut().insert(header::RETRY_AFTER, secs);
        }
        if code.is_last() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        if code == Code::UNSUPPORTED_CONTENT_ENCODING {
            let none = HeaderValue::from_static("identity");
            response.headers_mut().insert(header::ACCEPT_ENCODING, none);
        }
        response
    }
}
