//! User metadata: a small JSON object, stored in one canonical form.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::ledger::TextError;

/// Objects and arrays may nest this deep, the outermost object included.
const DEPTH_MAX: usize = 8;

/// A JSON object of the host, at most 4,096 bytes in canonical form. The canonical
/// form has no blanks, and its keys are sorted by bytes. It allows integers only,
/// because a float is not exact (send it as a string). It is at most 8 levels deep.
///
/// ```
/// use wallet_core::Metadata;
/// let metadata = Metadata::parse(r#"{ "order": 7, "channel": "web" }"#)?;
/// assert_eq!(metadata.as_str(), r#"{"channel":"web","order":7}"#);
/// # Ok::<(), wallet_core::ledger::TextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metadata(Arc<str>);

impl Metadata {
    /// The greatest length of the canonical form, in bytes.
    pub const MAX_BYTES: usize = 4_096;

    /// Parses JSON text.
    ///
    /// # Errors
    /// [`TextError`] when the text is no JSON object, is too deep or too long, or
    /// holds a number that is no 64-bit integer. Also when an object has a name
    /// twice, because readers would differ on which value counts.
    pub fn parse(json: &str) -> Result<Self, TextError> {
        if json.len() > Self::MAX_BYTES.saturating_mul(4) {
            return Err(TextError::TooLong {
                max_bytes: Self::MAX_BYTES,
            });
        }
        let value = serde_json::from_str(json).map_err(|_| TextError::NotAnObject)?;
        if has_a_name_twice(json) {
            return Err(TextError::DuplicateName);
        }
        Self::from_value(&value)
    }

    /// Converts a JSON value.
    ///
    /// # Errors
    /// The same as [`Metadata::parse`].
    pub fn from_value(value: &Value) -> Result<Self, TextError> {
        if !value.is_object() {
            return Err(TextError::NotAnObject);
        }
        let mut text = String::new();
        write(value, DEPTH_MAX, &mut text)?;
        if text.len() > Self::MAX_BYTES {
            return Err(TextError::TooLong {
                max_bytes: Self::MAX_BYTES,
            });
        }
        Ok(Self(text.into()))
    }

    /// The canonical JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether an object of valid JSON has a name twice, however the name is escaped.
fn has_a_name_twice(json: &str) -> bool {
    // The names of each object that is open; `None` for an array.
    let mut open: Vec<Option<BTreeSet<String>>> = Vec::new();
    let mut rest = json;
    while let Some(at) = rest.find(['"', '{', '}', '[', ']']) {
        let (_, found) = rest.split_at(at);
        let mut letters = found.chars();
        match letters.next() {
            Some('{') => open.push(Some(BTreeSet::new())),
            Some('[') => open.push(None),
            Some('"') => {
                let (string, after) = string_of(found);
                rest = after;
                let is_name = after.trim_start().starts_with(':');
                if let (true, Some(Some(names))) = (is_name, open.last_mut()) {
                    let name = serde_json::from_str(string).unwrap_or_default();
                    if !names.insert(name) {
                        return true;
                    }
                }
                continue;
            }
            _ => {
                open.pop();
            }
        }
        rest = letters.as_str();
    }
    false
}

/// Splits a text that begins with a JSON string: the string with its quotes, and
/// the rest.
fn string_of(text: &str) -> (&str, &str) {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find_map(|(at, letter)| {
        let is_end = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        is_end.then(|| at.saturating_add(1))
    });
    text.split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, ""))
}

/// A writer of our own. The order of keys and the form of numbers in `serde_json`
/// depend on features that any crate of the host may enable.
fn write(value: &Value, depth: usize, out: &mut String) -> Result<(), TextError> {
    let below = depth.checked_sub(1);
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => out.push_str(&integer.to_string()),
            (None, Some(integer)) => out.push_str(&integer.to_string()),
            (None, None) => return Err(TextError::BadNumber),
        },
        Value::Array(items) => {
            let below = below.ok_or(TextError::TooDeep)?;
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, below, out)?;
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let below = below.ok_or(TextError::TooDeep)?;
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push('{');
            for (index, (name, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(item, below, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}
