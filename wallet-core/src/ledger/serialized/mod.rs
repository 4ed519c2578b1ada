//! `Serialize` and `Deserialize` of the values, in the words of the REST API. The page of
//! [`ledger`](crate::ledger) has the table of forms.
//!
//! Each value has a private type with its fields as they are written: `of` makes them,
//! `value` checks them. A leaf is read by its constructor.

mod account;
mod money;
mod outcome;
mod text;
mod transfer;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is written and read as its fields `$fields`.
macro_rules! by_fields {
    ($($value:ty: $fields:ty,)*) => {$(
        $crate::ledger::serialized::written_as! { $value: $fields }

        impl<'de> serde::Deserialize<'de> for $value {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$fields>::deserialize(deserializer).map(<$fields>::value)
            }
        }
    )*};
}

/// The same where not all fields of the right types are a value.
macro_rules! by_checked_fields {
    ($($value:ty: $fields:ty,)*) => {$(
        $crate::ledger::serialized::written_as! { $value: $fields }

        impl<'de> serde::Deserialize<'de> for $value {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let fields = <$fields>::deserialize(deserializer)?;
                fields.value().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

macro_rules! written_as {
    ($value:ty: $fields:ty) => {
        impl serde::Serialize for $value {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$fields>::of(self).serialize(serializer)
            }
        }
    };
}
use {by_checked_fields, by_fields, written_as};

/// The greatest integer up to which every integer is a 64-bit float.
const SAFE_MAX: u64 = (1 << 53) - 1;

/// A version or sequence: a number, or its text where it is beyond 2^53 - 1.
#[derive(Debug, Clone, Copy)]
struct Ordinal(i64);

impl Serialize for Ordinal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.unsigned_abs() <= SAFE_MAX {
            serializer.serialize_i64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Ordinal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrdinalVisitor)
    }
}

struct OrdinalVisitor;

impl Visitor<'_> for OrdinalVisitor {
    type Value = Ordinal;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a 64-bit integer, as a number or a text")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Ordinal, E> {
        Ok(Ordinal(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Ordinal, E> {
        let known = i64::try_from(number);
        known
            .map(Ordinal)
            .map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ordinal, E> {
        let known = integer(text).and_then(|number| i64::try_from(number).ok());
        known
            .map(Ordinal)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// A count of minor units whose currency stands elsewhere, as text.
#[derive(Debug, Clone, Copy)]
struct Minor(i128);

impl Serialize for Minor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Minor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let unexpected = || D::Error::invalid_value(Unexpected::Str(&text), &"an integer as text");
        integer(&text).map(Self).ok_or_else(unexpected)
    }
}

/// The integer that is written in this way: digits, and a minus sign where it is
/// negative.
fn integer(text: &str) -> Option<i128> {
    let number: i128 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
