use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use wallet_core::ledger::{HoldStatus, format_minor};
use wallet_core::{Hold, TransferId};

use super::{metadata, time};
use crate::schema;

/// Money reserved on one account for another.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Hold)]
pub(crate) struct HoldBody {
    #[schema(value_type = schema::Id)]
    id: String,
    /// The account that pays.
    #[schema(value_type = schema::Id)]
    from: String,
    /// The account that is paid.
    #[schema(value_type = schema::Id)]
    to: String,
    /// The reserved amount.
    #[schema(value_type = schema::Amount)]
    amount: String,
    /// The captured amount.
    #[schema(value_type = schema::Portion)]
    captured: String,
    /// The released amount.
    #[schema(value_type = schema::Portion)]
    released: String,
    #[schema(value_type = schema::Currency)]
    currency: String,
    status: HoldState,
    /// The time from which it cannot be captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Time>)]
    effective_at: Option<String>,
    #[schema(value_type = schema::Time)]
    created_at: String,
    /// The transfer of a capture; only in the answer to the capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    transfer: Option<String>,
}

/// The state of a hold: open, or ended by a capture, a release or its expiry.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = HoldStatus)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HoldState {
    Pending,
    Captured,
    Released,
    Expired,
}

impl From<HoldStatus> for HoldState {
    fn from(status: HoldStatus) -> Self {
        match status {
            HoldStatus::Pending => Self::Pending,
            HoldStatus::Captured => Self::Captured,
            HoldStatus::Released => Self::Released,
            HoldStatus::Expired => Self::Expired,
        }
    }
}

impl From<HoldState> for HoldStatus {
    fn from(state: HoldState) -> Self {
        match state {
            HoldState::Pending => Self::Pending,
            HoldState::Captured => Self::Captured,
            HoldState::Released => Self::Released,
            HoldState::Expired => Self::Expired,
        }
    }
}

impl HoldBody {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn of(hold: &Hold) -> Self {
        let text = |minor| format_minor(minor, hold.money.currency);
        let details = &hold.details;
        Self {
            id: hold.key.id.to_string(),
            from: hold.from.to_string(),
            to: hold.to.to_string(),
            amount: text(hold.money.amount.minor()),
            captured: text(hold.captured),
            released: text(hold.released),
            currency: hold.money.currency.code().to_string(),
            status: hold.status.into(),
            expires_at: hold.expires_at.map(time),
            code: Some(details.code).filter(|code| *code != 0),
            reference: details.reference.as_ref().map(ToString::to_string),
            description: details.description.as_ref().map(ToString::to_string),
            metadata: details.metadata.as_ref().map(metadata),
            effective_at: details.effective_at.map(time),
            created_at: time(hold.created_at),
            transfer: None,
        }
    }

    /// The hold after a capture.
    pub(crate) fn captured(hold: &Hold, transfer: TransferId) -> Self {
        Self {
            transfer: Some(transfer.to_string()),
            ..Self::of(hold)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_ledger() {
        for status in HoldStatus::ALL {
            let written = serde_json::to_value(HoldState::from(*status)).unwrap();
            assert_eq!(written, status.name());
        }
    }
}
