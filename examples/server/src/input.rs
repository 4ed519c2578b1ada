//! Reading what callers send: strictly, and with the name of what is wrong.

use std::str::FromStr;

use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wallet_core::{
    Currency, Description, Details, InLedger, LedgerId, Metadata, Money, Reference, Timestamp,
};

use crate::App;
use crate::problem::Problem;

/// A JSON body: of the right content type, with no field that is not known.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let mut given = request.headers().get_all(CONTENT_TYPE).iter();
        let content_type = match (given.next(), given.next()) {
            (Some(one), None) => one.to_str().unwrap_or_default(),
            // Two could be read in two ways.
            _ => "",
        };
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let detail = "the body must be sent as application/json";
            return Err(Problem::new(415, "unsupported_media_type", detail));
        }
        // What says that it is too large is not waited for.
        let told = request.body().size_hint().lower();
        if usize::try_from(told).is_ok_and(|told| told > app.body_max()) {
            return Err(too_large());
        }
        let bytes = Bytes::from_request(request, app)
            .await
            .map_err(|error| unreadable(&error))?;
        let body = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::bad_request("invalid_body", error.to_string()))?;
        Ok(Self(body))
    }
}

fn unreadable(rejection: &BytesRejection) -> Problem {
    let status = rejection.status().as_u16();
    if status == 413 {
        too_large()
    } else {
        Problem::bad_request("invalid_body", "the body could not be read")
    }
}

fn too_large() -> Problem {
    Problem::new(413, "body_too_large", "the body is too large")
}

/// Query parameters, none of them unknown.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, app).await;
        let bad = |error: QueryRejection| Problem::bad_request("invalid_query", error.body_text());
        query.map(|Query(params)| Self(params)).map_err(bad)
    }
}

/// The id in the path, in the default ledger.
pub(crate) struct Id<T>(pub(crate) InLedger<T>);

impl<T: FromStr> FromRequestParts<App> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        let id = id.ok_or_else(|| Problem::bad_field("id", "not a UUID"))?;
        Ok(Self(InLedger::new(LedgerId::default(), id)))
    }
}

/// Parses a field.
pub(crate) fn field<T>(name: &'static str, text: &str) -> Result<T, Problem>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error| Problem::bad_field(name, error))
}

/// Parses a field that may be absent.
pub(crate) fn optional<T>(name: &'static str, text: Option<&str>) -> Result<Option<T>, Problem>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.map(|text| field(name, text)).transpose()
}

/// A currency that the server knows.
pub(crate) fn currency(app: &App, code: &str) -> Result<Currency, Problem> {
    let found = app.currencies().find(code);
    found.map_err(|error| Problem::bad_field("currency", error))
}

/// A positive amount.
pub(crate) fn money(text: &str, currency: Currency) -> Result<Money, Problem> {
    Money::parse(text, currency).map_err(|error| Problem::bad_field("amount", error))
}

/// A time as RFC 3339, cut to microseconds.
pub(crate) fn time(name: &'static str, text: &str) -> Result<Timestamp, Problem> {
    let time: jiff::Timestamp = field(name, text)?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}

/// What the caller says about a transfer.
#[derive(Debug, Default)]
pub(crate) struct Words<'a> {
    pub(crate) code: Option<u32>,
    pub(crate) reference: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    pub(crate) metadata: Option<&'a Value>,
    pub(crate) effective_at: Option<&'a str>,
}

impl Words<'_> {
    /// The same, checked.
    pub(crate) fn details(&self) -> Result<Details, Problem> {
        let effective_at = self.effective_at.map(|text| time("effective_at", text));
        Ok(Details {
            code: self.code.unwrap_or(0),
            reference: optional::<Reference>("reference", self.reference)?,
            description: optional::<Description>("description", self.description)?,
            metadata: self.metadata.map(metadata).transpose()?,
            effective_at: effective_at.transpose()?,
        })
    }
}

/// User metadata.
pub(crate) fn metadata(value: &Value) -> Result<Metadata, Problem> {
    Metadata::from_value(value).map_err(|error| Problem::bad_field("metadata", error))
}
