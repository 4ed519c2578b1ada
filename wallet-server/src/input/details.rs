use serde_json::value::RawValue;
use wallet_core::Reference;
use wallet_core::ledger::{Description, Details};

use super::{metadata, optional, time};
use crate::problem::Problem;

/// Defines a request body with its own fields and the common detail fields, which
/// `details()` checks. The fields are written out in each body, because serde cannot
/// flatten and refuse unknown fields at the same time.
macro_rules! posting {
    (
        $(#[$doc:meta])* $name:ident $(, $derive:ident)* {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, serde::Deserialize, utoipa::ToSchema $(, $derive)*)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_doc])* $field: $type,)*
            /// An id of the caller's choice. It must be unique for ever.
            #[schema(value_type = Option<crate::schema::Id>)]
            id: Option<String>,
            /// A code of the caller's chart of accounts; 0 means none.
            #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
            code: Option<u32>,
            /// The caller's reference: 1 to 128 bytes without control characters.
            #[schema(min_length = 1, max_length = 128)]
            reference: Option<String>,
            /// The text for a statement: 1 to 512 bytes without control characters.
            #[schema(min_length = 1, max_length = 512)]
            description: Option<String>,
            /// Metadata: a JSON object of at most 4096 bytes; its numbers are 64-bit
            /// integers.
            #[schema(value_type = Option<Object>)]
            metadata: Option<Box<serde_json::value::RawValue>>,
            /// The date that counts in reports, if it differs from the time of the
            /// commit.
            #[schema(value_type = Option<crate::schema::Time>)]
            effective_at: Option<String>,
        }

        impl $name {
            /// The checked details.
            fn details(&self) -> Result<wallet_core::ledger::Details, $crate::problem::Problem> {
                $crate::input::details::Words {
                    code: self.code,
                    reference: self.reference.as_deref(),
                    description: self.description.as_deref(),
                    metadata: self.metadata.as_deref(),
                    effective_at: self.effective_at.as_deref(),
                }
                .details()
            }
        }
    };
}
pub(super) use posting;

/// The details of a transfer or hold.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) code: Option<u32>,
    pub(super) reference: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) metadata: Option<&'a RawValue>,
    pub(super) effective_at: Option<&'a str>,
}

impl Words<'_> {
    /// The checked details.
    pub(super) fn details(&self) -> Result<Details, Problem> {
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
