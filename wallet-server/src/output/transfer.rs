use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use wallet_core::ledger::{TransferKind, TransferWithReversals, format_minor};
use wallet_core::{Leg, Transfer};

use super::{metadata, time};
use crate::schema;

/// A transfer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Transfer)]
pub(crate) struct TransferBody {
    #[schema(value_type = schema::Id)]
    id: String,
    kind: Kind,
    /// Whether it was undone since. The answer to a change shows it as it was then:
    /// `posted`.
    status: TransferStatus,
    /// The legs, in order.
    legs: Vec<LegBody>,
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
    /// The hold that it captures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    hold: Option<String>,
    /// The transfer that it reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    reverses: Option<String>,
    #[schema(value_type = schema::Time)]
    created_at: String,
}

/// One leg of a transfer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Leg)]
struct LegBody {
    #[schema(value_type = schema::Id)]
    from: String,
    #[schema(value_type = schema::Id)]
    to: String,
    #[schema(value_type = schema::Amount)]
    amount: String,
    #[schema(value_type = schema::Currency)]
    currency: String,
    /// The amount reversed since, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Amount>)]
    reversed: Option<String>,
}

/// What made the transfer.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = TransferKind)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Transfer,
    Deposit,
    Withdrawal,
    Split,
    Capture,
    Reversal,
    System,
}

impl From<TransferKind> for Kind {
    fn from(kind: TransferKind) -> Self {
        match kind {
            TransferKind::Transfer => Self::Transfer,
            TransferKind::Deposit => Self::Deposit,
            TransferKind::Withdrawal => Self::Withdrawal,
            TransferKind::Split => Self::Split,
            TransferKind::Capture => Self::Capture,
            TransferKind::Reversal => Self::Reversal,
            TransferKind::System => Self::System,
        }
    }
}

/// The amount reversed.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TransferStatus {
    Posted,
    PartiallyReversed,
    Reversed,
}

impl LegBody {
    fn of(leg: &Leg) -> Self {
        Self {
            from: leg.from.to_string(),
            to: leg.to.to_string(),
            amount: format_minor(leg.money.amount.minor(), leg.money.currency),
            currency: leg.money.currency.code().to_string(),
            reversed: None,
        }
    }
}

impl TransferBody {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// A transfer as it was posted.
    pub(crate) fn posted(transfer: &Transfer) -> Self {
        let details = &transfer.details;
        Self {
            id: transfer.key.id.to_string(),
            kind: transfer.kind.into(),
            status: TransferStatus::Posted,
            legs: transfer.legs.iter().map(LegBody::of).collect(),
            code: Some(details.code).filter(|code| *code != 0),
            reference: details.reference.as_ref().map(ToString::to_string),
            description: details.description.as_ref().map(ToString::to_string),
            metadata: details.metadata.as_ref().map(metadata),
            effective_at: details.effective_at.map(time),
            hold: transfer.hold.map(|hold| hold.to_string()),
            reverses: transfer
                .reversal
                .as_ref()
                .map(|reversal| reversal.transfer.to_string()),
            created_at: time(transfer.created_at),
        }
    }

    /// A transfer in its present state.
    pub(crate) fn of(row: &TransferWithReversals) -> Self {
        let legs = || row.transfer.legs.iter().zip(&row.reversed);
        let is_whole = legs().all(|(leg, reversed)| leg.money.amount.minor() == *reversed);
        let is_begun = row.reversed.iter().any(|reversed| *reversed > 0);
        let status = match (is_begun, is_whole) {
            (false, _) => TransferStatus::Posted,
            (true, false) => TransferStatus::PartiallyReversed,
            (true, true) => TransferStatus::Reversed,
        };
        let mut body = Self::posted(&row.transfer);
        body.status = status;
        for (shown, (leg, reversed)) in body.legs.iter_mut().zip(legs()) {
            let text = || format_minor(*reversed, leg.money.currency);
            shown.reversed = (*reversed > 0).then(text);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_ledger() {
        for kind in TransferKind::ALL {
            let written = serde_json::to_value(Kind::from(*kind)).unwrap();
            assert_eq!(written, kind.name());
        }
    }
}
