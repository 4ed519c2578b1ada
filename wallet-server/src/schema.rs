//! The text formats of the API document.
#![allow(dead_code, reason = "they document; nobody builds them")]

use utoipa::ToSchema;

/// A positive amount: an exact decimal with at most the currency's decimals,
/// never a number of JSON.
#[derive(ToSchema)]
#[schema(
    pattern = r"^(0*[1-9][0-9]*(\.[0-9]+)?|0+\.0*[1-9][0-9]*)$",
    examples("10.50")
)]
pub(crate) struct Amount(String);

/// How much of an amount: an exact decimal, zero or more.
#[derive(ToSchema)]
#[schema(pattern = r"^[0-9]+(\.[0-9]+)?$", examples("0.00"))]
pub(crate) struct Portion(String);

/// A balance: an exact decimal, below zero where money is owed.
#[derive(ToSchema)]
#[schema(pattern = r"^-?[0-9]+(\.[0-9]+)?$", examples("-3.20"))]
pub(crate) struct Balance(String);

/// A currency: of ISO 4217, or one of the server's settings.
#[derive(ToSchema)]
#[schema(pattern = "^[A-Z][A-Z0-9_]{1,11}$", examples("EUR"))]
pub(crate) struct Currency(String);

/// A time as RFC 3339, to the microsecond.
#[derive(ToSchema)]
#[schema(format = DateTime, examples("2026-01-31T12:00:00.000001Z"))]
pub(crate) struct Time(String);

/// An id: a UUID, made by the server unless the caller gives one.
#[derive(ToSchema)]
#[schema(format = Uuid, examples("01890000-0000-7000-8000-000000000001"))]
pub(crate) struct Id(String);

/// An idempotency key without the quotes that may be around it in the header: 1 to 255
/// printable ASCII characters, no quote and no blank at either end.
#[derive(ToSchema)]
#[schema(pattern = "^[!#-~]([ -~]{0,253}[!#-~])?$", examples("order-7"))]
pub(crate) struct BareKey(String);
