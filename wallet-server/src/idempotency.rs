use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use thiserror::Error;
use wallet_core::IdempotencyKey;
use wallet_core::ledger::{KeyText, TextError};

use crate::App;
use crate::problem::{Code, Problem};

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a request: one header of 1 to 255 printable characters, bare or
/// quoted as a string of structured fields (RFC 8941). None begins or ends with a quote
/// or a blank.
pub(crate) fn key(app: &App, headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let missing = || {
        let detail = "this request needs an Idempotency-Key header";
        Problem::new(Code::IDEMPOTENCY_KEY_MISSING, detail)
    };
    let first = given.next().ok_or_else(missing)?;
    if given.next().is_some() {
        return Err(bad("there must be one Idempotency-Key header"));
    }
    let text = first
        .to_str()
        .map_err(|_| bad("it must be printable ASCII"))?;
    let text = match text.strip_prefix('"') {
        None => text.to_owned(),
        Some(rest) => unquote(rest).ok_or_else(|| bad("the quotes or escapes are not closed"))?,
    };
    of_text(app, &text).map_err(|error| bad(&error.to_string()))
}

/// The bare key in a path. Quotes and blanks around it are refused: the header does not
/// count them as part of the key, so that the path would name another key.
pub(crate) fn key_in_path(app: &App, text: &str) -> Result<IdempotencyKey, Problem> {
    of_text(app, text).map_err(|error| match error {
        KeyError::Framed => {
            let detail = "write it without the quotes or blanks that are around it in the header";
            Problem::field("key", detail)
        }
        KeyError::Text(error) => Problem::field("key", error),
    })
}

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
enum KeyError {
    #[error(transparent)]
    Text(#[from] TextError),
    /// In a path, the key would equal the quoted form of another key.
    #[error("a key neither begins nor ends with a quote or a blank")]
    Framed,
}

fn of_text(app: &App, text: &str) -> Result<IdempotencyKey, KeyError> {
    let checked = KeyText::new(text)?;
    let frame = ['"', ' '];
    if text.starts_with(frame) || text.ends_with(frame) {
        return Err(KeyError::Framed);
    }
    Ok(IdempotencyKey::new(app.scope(), checked))
}

/// The string behind an opening quote; only `\"` and `\\` are escapes.
fn unquote(rest: &str) -> Option<String> {
    let inner = rest.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                escaped @ ('"' | '\\') => text.push(escaped),
                _ => return None,
            },
            '"' => return None,
            plain => text.push(plain),
        }
    }
    Some(text)
}

fn bad(detail: &str) -> Problem {
    let detail = format!("Idempotency-Key: {detail}");
    Problem::new(Code::IDEMPOTENCY_KEY_INVALID, detail)
}

/// Sets whether the answer is a replay.
pub(crate) fn mark_replayed(response: &mut Response, is_replayed: bool) {
    if is_replayed {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, yes);
    }
}
