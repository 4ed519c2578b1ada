use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wallet_core::{Rejected, Rejection, StoreErrorKind, WalletError};

/// An error answer: problem+json (RFC 9457) with a stable `code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    code: &'static str,
    detail: String,
    field: Option<&'static str>,
    retry_after_secs: Option<u32>,
}

impl Problem {
    /// A problem of this status.
    #[must_use]
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            field: None,
            retry_after_secs: None,
        }
    }

    /// 400: what was sent is not what the API takes.
    #[must_use]
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(400, code, detail)
    }

    /// 404.
    #[must_use]
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(404, code, detail)
    }

    /// 400 because of one field.
    #[must_use]
    pub fn bad_field(field: &'static str, detail: impl std::fmt::Display) -> Self {
        Self {
            field: Some(field),
            ..Self::bad_request("invalid_field", format!("{field}: {detail}"))
        }
    }

    /// Tells when to come back.
    #[must_use]
    pub fn retry_after(mut self, secs: u32) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        let status = match rejected.rejection {
            Rejection::AccountNotFound | Rejection::HoldNotFound | Rejection::TransferNotFound => {
                404
            }
            Rejection::IdTaken | Rejection::HoldNotPending => 409,
            _ => 422,
        };
        let Rejected {
            rejection,
            command,
            subject,
        } = rejected;
        let words = rejection.code().replace('_', " ");
        Self::new(
            status,
            rejection.code(),
            format!("{words}: {subject} (command {command})"),
        )
    }
}

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Self {
        let code = error.code();
        match &error {
            WalletError::Invalid(invalid) => Self::bad_request(code, invalid.to_string()),
            WalletError::IdempotencyMismatch => Self::new(422, code, error.to_string()),
            WalletError::Overloaded
            | WalletError::ShuttingDown
            | WalletError::ClockBehind { .. } => {
                Self::new(503, code, error.to_string()).retry_after(1)
            }
            WalletError::Indeterminate { .. } => unknown(code),
            WalletError::Store(store) => match store.kind() {
                StoreErrorKind::Unavailable | StoreErrorKind::Conflict => {
                    Self::new(503, code, "the store is not available").retry_after(1)
                }
                StoreErrorKind::Indeterminate => unknown(code),
                StoreErrorKind::Invalid => Self::new(422, code, "the store refused the request"),
                StoreErrorKind::Corrupt | StoreErrorKind::Internal => internal(&error),
            },
            _ => internal(&error),
        }
    }
}

fn unknown(code: &'static str) -> Problem {
    let detail = "whether it was carried out is not known: send it again under the same key";
    Problem::new(504, code, detail).retry_after(1)
}

fn internal(error: &WalletError) -> Problem {
    tracing::error!(%error, "the service failed");
    Problem::new(500, "internal", "the request failed")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = json!({
            "type": format!("urn:wallet:problem:{}", self.code),
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        });
        if let (Some(field), Some(object)) = (self.field, body.as_object_mut()) {
            object.insert("field".to_owned(), field.into());
        }
        let problem = HeaderValue::from_static("application/problem+json");
        let mut response = (status, body.to_string()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        if let Some(secs) = self.retry_after_secs {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, secs.into());
        }
        response
    }
}
