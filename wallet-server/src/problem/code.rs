use wallet_core::store::StoreErrorKind;
use wallet_core::{Rejection, WalletError};

/// A stable code with its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    status: u16,
    text: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $text:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self { status: $status, text: $text };)*
        }
    };
}

// Problems that the server itself finds.
codes! {
    /// The body is not JSON of the documented shape.
    INVALID_BODY = 400 "invalid_body";
    /// One field, named in the problem, has a value that is not allowed.
    INVALID_FIELD = 400 "invalid_field";
    /// A query parameter is unknown, repeated, missing or of the wrong type.
    INVALID_QUERY = 400 "invalid_query";
    /// The request as a whole is not valid.
    INVALID_REQUEST = 400 "invalid_request";
    /// The `Idempotency-Key` header is missing.
    IDEMPOTENCY_KEY_MISSING = 400 "idempotency_key_missing";
    /// The `Idempotency-Key` header is not 1 to 255 printable characters.
    IDEMPOTENCY_KEY_INVALID = 400 "idempotency_key_invalid";
    /// The length of the body is given in two ways.
    AMBIGUOUS_LENGTH = 400 "ambiguous_length";
    /// The `Host` header is missing, repeated, or not a host name.
    INVALID_HOST = 400 "invalid_host";
    /// The server was not started with `--allow-system-transfers`.
    SYSTEM_TRANSFERS_NOT_ALLOWED = 403 "system_transfers_not_allowed";
    /// There is nothing at this path.
    UNKNOWN_PATH = 404 "unknown_path";
    /// Nothing was recorded under this key so far.
    OUTCOME_NOT_FOUND = 404 "outcome_not_found";
    /// The path does not take this method.
    METHOD_NOT_ALLOWED = 405 "method_not_allowed";
    /// The head of the request did not come in time; nothing was done.
    HEAD_TIMEOUT = 408 "head_timeout";
    /// The body did not come in time; nothing was done.
    BODY_TIMEOUT = 408 "body_timeout";
    /// The body is larger than the server's limit.
    BODY_TOO_LARGE = 413 "body_too_large";
    /// The body was not sent as `application/json`.
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type";
    /// The body was sent with a `Content-Encoding`.
    UNSUPPORTED_CONTENT_ENCODING = 415 "unsupported_content_encoding";
    /// The request is addressed to a name that is not the server's.
    HOST_NOT_ALLOWED = 421 "host_not_allowed";
    /// The key was used for another request.
    IDEMPOTENCY_MISMATCH = 422 "idempotency_mismatch";
    /// The store cannot take the request's data.
    STORE_REFUSED = 422 "store_refused";
    /// Another item of the atomic batch was refused.
    BATCH_REFUSED = 424 "batch_refused";
    /// The client has too many connections or requests open; nothing was done.
    TOO_MANY_CONNECTIONS = 429 "too_many_connections";
    /// The server failed; nothing was done.
    INTERNAL = 500 "internal";
    /// The body was sent with a `Transfer-Encoding` beyond `chunked`.
    UNSUPPORTED_TRANSFER_ENCODING = 501 "unsupported_transfer_encoding";
    /// Items of a batch have no answer yet: the same batch under its key goes on.
    BATCH_UNFINISHED = 503 "batch_unfinished";
    /// Too many requests are waiting; nothing was done.
    OVERLOADED = 503 "overloaded";
    /// The server is stopping; nothing was done.
    SHUTTING_DOWN = 503 "shutting_down";
    /// The store's clock is behind the books; nothing was done.
    CLOCK_BEHIND = 503 "clock_behind";
    /// The store is not available; nothing was done.
    STORE_UNAVAILABLE = 503 "store_unavailable";
    /// Another caller locked a needed row for too long; nothing was done.
    STORE_CONFLICT = 503 "store_conflict";
    /// It took too long; it may have been done or may still be.
    TIMEOUT = 504 "timeout";
    /// Whether it was done is not known.
    INDETERMINATE = 504 "indeterminate";
}

impl Code {
    /// The code of a refusal by the rules: 404 for what does not exist, 409 for a
    /// conflict with a resource's state, else 422.
    #[must_use]
    pub const fn of(rejection: Rejection) -> Self {
        let status = match rejection {
            Rejection::AccountNotFound | Rejection::HoldNotFound | Rejection::TransferNotFound => {
                404
            }
            Rejection::Cancelled
            | Rejection::IdTaken
            | Rejection::HoldNotPending
            | Rejection::HoldExpired
            | Rejection::HoldNotExpired
            | Rejection::AccountClosed
            | Rejection::AccountFrozen
            | Rejection::HoldsOutstanding
            | Rejection::BalanceNotZero => 409,
            _ => 422,
        };
        Self {
            status,
            text: rejection.code(),
        }
    }

    /// The code of an error of the service.
    pub(super) fn of_error(error: &WalletError) -> Self {
        match error {
            WalletError::Rejected(rejected) => Self::of(rejected.rejection),
            WalletError::Value(_) | WalletError::Invalid(_) | WalletError::InvalidItem { .. } => {
                Self::INVALID_REQUEST
            }
            WalletError::IdempotencyMismatch => Self::IDEMPOTENCY_MISMATCH,
            WalletError::Overloaded => Self::OVERLOADED,
            WalletError::ShuttingDown => Self::SHUTTING_DOWN,
            WalletError::ClockBehind { .. } => Self::CLOCK_BEHIND,
            WalletError::Indeterminate { .. } => Self::INDETERMINATE,
            WalletError::Store(store) => match store.kind() {
                StoreErrorKind::Unavailable => Self::STORE_UNAVAILABLE,
                StoreErrorKind::Conflict => Self::STORE_CONFLICT,
                StoreErrorKind::Indeterminate => Self::INDETERMINATE,
                StoreErrorKind::Invalid => Self::STORE_REFUSED,
                StoreErrorKind::Corrupt | StoreErrorKind::Internal => Self::INTERNAL,
            },
            _ => Self::INTERNAL,
        }
    }

    /// The status code of HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.status
    }

    /// The code itself, such as `"insufficient_funds"`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.text
    }

    /// Whether a later retry with the same request under the same key can help.
    pub(super) const fn is_passing(self) -> bool {
        matches!(self.status, 429 | 503 | 504)
    }

    /// Whether the same request under the same key may be answered otherwise.
    pub(crate) const fn is_retryable(self) -> bool {
        self.is_passing() || self.status == 408
    }

    /// Whether the rest of the request cannot be separated from the next request, so that
    /// the connection closes after this answer.
    pub(super) const fn is_last(self) -> bool {
        matches!(self.status, 408 | 413 | 501)
            || matches!(self.text.as_bytes(), b"ambiguous_length")
    }
}
