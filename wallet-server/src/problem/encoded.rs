//! The result of a batch item inside a problem.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// The name that the API document gives to the result of a batch item. The type of that
/// schema is `output::ItemResult`, whose body may be a problem again.
const RESULT: &str = "Result";

/// The result of a batch item, already encoded as JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Encoded(Box<RawValue>);

impl Encoded {
    /// Encodes a result; `None` if it cannot be encoded.
    pub(super) fn of(result: &impl Serialize) -> Option<Self> {
        to_raw_value(result).ok().map(Self)
    }
}

impl PartialSchema for Encoded {
    fn schema() -> RefOr<Schema> {
        RefOr::Ref(Ref::from_schema_name(RESULT))
    }
}

impl ToSchema for Encoded {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(RESULT)
    }
}
