//! The problems that an operation can answer, for the API document.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use wallet_core::Rejection;

use super::Code;

/// The problems of any operation, before its handler runs.
pub(crate) const ANY: &[Code] = &[
    Code::AMBIGUOUS_LENGTH,
    Code::UNSUPPORTED_TRANSFER_ENCODING,
    Code::INVALID_HOST,
    Code::HOST_NOT_ALLOWED,
    Code::TOO_MANY_CONNECTIONS,
];

/// The problems of a read, beyond [`ANY`].
pub(crate) const READ: &[Code] = &[
    Code::INTERNAL,
    Code::OVERLOADED,
    Code::STORE_UNAVAILABLE,
    Code::TIMEOUT,
];

/// The problems of a list, beyond [`READ`].
pub(crate) const LIST: &[Code] = &[Code::INVALID_QUERY, Code::INVALID_FIELD];

/// The problems of a change, beyond [`ANY`] and without the refusals by the rules.
pub(crate) const WRITE: &[Code] = &[
    Code::INVALID_BODY,
    Code::INVALID_QUERY,
    Code::IDEMPOTENCY_KEY_MISSING,
    Code::IDEMPOTENCY_KEY_INVALID,
    Code::BODY_TIMEOUT,
    Code::BODY_TOO_LARGE,
    Code::UNSUPPORTED_MEDIA_TYPE,
    Code::UNSUPPORTED_CONTENT_ENCODING,
    Code::IDEMPOTENCY_MISMATCH,
    Code::of(Rejection::Cancelled),
    Code::STORE_REFUSED,
    Code::INTERNAL,
    Code::OVERLOADED,
    Code::SHUTTING_DOWN,
    Code::STORE_UNAVAILABLE,
    Code::STORE_CONFLICT,
    Code::TIMEOUT,
    Code::INDETERMINATE,
];

/// The problems of a change to an existing resource, beyond [`WRITE`].
pub(crate) const CHANGE: &[Code] = &[Code::CLOCK_BEHIND];

/// All refusals by the rules, of any operation but those of [`WRITE`]. `LimitBreached` is
/// about a command that the API does not have, and no sum of its amounts reaches
/// `CounterOverflow`.
pub(crate) const REFUSALS: &[Code] = &[
    Code::of(Rejection::IdTaken),
    Code::of(Rejection::TransferNotFound),
    Code::of(Rejection::HoldNotFound),
    Code::of(Rejection::NotReversible),
    Code::of(Rejection::LegRequired),
    Code::of(Rejection::LegNotFound),
    Code::of(Rejection::HoldNotPending),
    Code::of(Rejection::HoldExpired),
    Code::of(Rejection::ExpiryPassed),
    Code::of(Rejection::ExpiryTooFar),
    Code::of(Rejection::CaptureExceedsHold),
    Code::of(Rejection::ReversalExceedsTransfer),
    Code::of(Rejection::AccountNotFound),
    Code::of(Rejection::SystemAccount),
    Code::of(Rejection::NotSystemAccount),
    Code::of(Rejection::CurrencyExponentMismatch),
    Code::of(Rejection::CurrencyMismatch),
    Code::of(Rejection::AccountClosed),
    Code::of(Rejection::AccountFrozen),
    Code::of(Rejection::HoldsOutstanding),
    Code::of(Rejection::BalanceNotZero),
    Code::of(Rejection::InsufficientFunds),
    Code::of(Rejection::MaxBalanceExceeded),
];

/// Defines a type for `responses(...)` that documents these groups of codes.
macro_rules! errors {
    ($name:ident: $($group:expr),+ $(,)?) => {
        /// The problems that the operation can answer.
        pub(crate) struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                $crate::problem::responses(&[$crate::problem::ANY, $($group),+])
            }
        }
    };
}
pub(crate) use errors;

/// One response for each status, with its codes enumerated.
pub(crate) fn responses(groups: &[&[Code]]) -> BTreeMap<String, RefOr<Response>> {
    let codes: BTreeSet<Code> = groups.iter().copied().flatten().copied().collect();
    let mut by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for code in codes {
        by_status
            .entry(code.status())
            .or_default()
            .push(code.text());
    }
    let responses = by_status.into_iter();
    responses
        .map(|(status, codes)| (status.to_string(), response(status, codes).into()))
        .collect()
}

fn response(status: u16, codes: Vec<&'static str>) -> Response {
    let canonical = StatusCode::from_u16(status).ok();
    let title = canonical.and_then(|status| status.canonical_reason());
    let description = format!("{}: {}", title.unwrap_or("Error"), codes.join(", "));
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(codes));
    let narrowed = ObjectBuilder::new().property("code", code);
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(narrowed);
    let content = ContentBuilder::new()
        .schema(Some(RefOr::T(Schema::AllOf(schema.build()))))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}
