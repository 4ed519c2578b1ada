//! Parses requests: strictly, and with the name of the invalid part.

mod account;
mod batch;
mod details;
mod hold;
mod movement;
mod object;
mod system;
mod transfer;
mod write;

pub(crate) use account::{Freeze, NewAccount, Nothing, closing, unfreezing};
pub(crate) use batch::NewBatch;
pub(crate) use hold::{NewCapture, NewHold, releasing};
pub(crate) use movement::Movement;
pub(crate) use system::{NewSystemTransfer, SystemTransfers};
pub(crate) use transfer::{NewReversal, NewTransfer};
pub(crate) use write::{DryRun, KeyHeader, Write};

use std::str::FromStr;

use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::Uri;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use object::Object;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use wallet_core::ledger::{InLedger, TimestampError};
use wallet_core::{Currency, LedgerId, Metadata, Money, Timestamp};

use crate::App;
use crate::problem::{Code, Problem};

/// A JSON body with the right content type and no unknown field.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let mut given = request.headers().get_all(CONTENT_TYPE).iter();
        let content_type = match (given.next(), given.next()) {
            (Some(one), None) => one.to_str().unwrap_or_default(),
            // Two content types could be read in two ways.
            _ => "",
        };
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let detail = "the body must be sent as application/json";
            return Err(Problem::new(Code::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let mut encodings = request.headers().get_all(CONTENT_ENCODING).iter();
        if encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            let detail = "the body must be sent without a Content-Encoding";
            return Err(Problem::new(Code::UNSUPPORTED_CONTENT_ENCODING, detail));
        }
        // A body that is announced as too large is refused at once.
        let announced = request.body().size_hint().lower();
        if usize::try_from(announced).is_ok_and(|announced| announced > app.settings().body_max) {
            return Err(too_large());
        }
        let all = Bytes::from_request(request, app);
        let all = tokio::time::timeout(app.settings().body_timeout, all).await;
        let late = |_| Problem::new(Code::BODY_TIMEOUT, "the body did not come in time");
        let bytes = all.map_err(late)?.map_err(|error| unreadable(&error))?;
        parse(&bytes).map(Self)
    }
}

/// The same if every field may be absent: an empty body counts as `{}`.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<App> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        let Json(body) = Json::from_request(request, app).await?;
        Ok(Self(body))
    }
}

/// Checks that there is no body.
pub(crate) struct NoBody;

impl FromRequest<App> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self);
        }
        Err(Problem::new(
            Code::INVALID_REQUEST,
            "this request takes no body",
        ))
    }
}

/// JSON of exactly the expected shape.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes)
        .map(|Object(body)| body)
        .map_err(|error| Problem::new(Code::INVALID_BODY, error.to_string()))
}

fn unreadable(rejection: &BytesRejection) -> Problem {
    if rejection.status().as_u16() == Code::BODY_TOO_LARGE.status() {
        too_large()
    } else {
        Problem::new(Code::INVALID_BODY, "the body could not be read")
    }
}

fn too_large() -> Problem {
    Problem::new(Code::BODY_TOO_LARGE, "the body is too large")
}

/// Query parameters; an unknown one is refused.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, app).await;
        let bad = |_: QueryRejection| Problem::new(Code::INVALID_QUERY, bad_query(&parts.uri));
        query.map(|Query(params)| Self(params)).map_err(bad)
    }
}

/// The error text of a refused query: the names of its parameters, each once.
fn bad_query(uri: &Uri) -> String {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let pairs = pairs.map_or_else(|_| Vec::new(), |Query(pairs)| pairs);
    let mut names = Vec::new();
    for (name, _) in pairs {
        let name = format!("`{name}`");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return "the query cannot be read".to_owned();
    }
    let names = names.join(", ");
    format!("unknown, given twice, or not of its type: {names}")
}

/// The id in the path, in the default ledger.
pub(crate) struct Id<T>(pub(crate) InLedger<T>);

impl<T: FromStr> FromRequestParts<App> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        id(path.as_ref().map_or("", |Path(text)| text)).map(Self)
    }
}

fn id<T: FromStr>(text: &str) -> Result<InLedger<T>, Problem> {
    let id = text.parse();
    let id = id.map_err(|_| Problem::field("id", "not a UUID"))?;
    Ok(InLedger::new(LedgerId::default(), id))
}

/// Parses a field.
pub(crate) fn field<T>(name: &'static str, text: &str) -> Result<T, Problem>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| Problem::field(name, error))
}

/// Parses a field that may be absent.
pub(crate) fn optional<T>(name: &'static str, text: Option<&str>) -> Result<Option<T>, Problem>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.map(|text| field(name, text)).transpose()
}

/// A currency that the server is configured for.
pub(crate) fn currency(app: &App, code: &str) -> Result<Currency, Problem> {
    let found = app.settings().currencies.find(code);
    found.map_err(|error| Problem::field("currency", error))
}

/// A positive amount.
fn money(text: &str, currency: Currency) -> Result<Money, Problem> {
    Money::parse(text, currency).map_err(|error| Problem::field("amount", error))
}

/// The latest time that a request may name. Consumers of events read no later one.
const TIME_MAX: Timestamp = Timestamp::from_micros(253_402_207_200_999_999);

/// A time as RFC 3339, cut to microseconds.
pub(crate) fn time(name: &'static str, text: &str) -> Result<Timestamp, Problem> {
    let time = match text.parse::<Timestamp>() {
        Err(TimestampError::Malformed) => {
            return Err(Problem::field(name, "not a time of RFC 3339"));
        }
        time => time.ok().filter(|time| *time <= TIME_MAX),
    };
    time.ok_or_else(|| Problem::field(name, "no time, or one behind 9999-12-30T22:00:00Z"))
}

/// User metadata.
fn metadata(json: &RawValue) -> Result<Metadata, Problem> {
    Metadata::parse(json.get()).map_err(|error| Problem::field("metadata", error))
}
