use serde::Serialize;
use serde_json::Value;
use wallet_core::{Leg, Transfer, TransferKind, TransferWithReversals, format_minor};

use super::{metadata, time};

/// A transfer.
#[derive(Debug, Serialize)]
pub(crate) struct TransferBody {
    id: String,
    kind: &'static str,
    status: &'static str,
    legs: Vec<LegBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<String>,
    created_at: String,
}

/// One leg of it.
#[derive(Debug, Serialize)]
struct LegBody {
    from: String,
    to: String,
    amount: String,
    currency: String,
}

impl LegBody {
    fn of(leg: &Leg) -> Self {
        Self {
            from: leg.from.to_string(),
            to: leg.to.to_string(),
            amount: format_minor(leg.money.amount.minor(), leg.money.currency),
            currency: leg.money.currency.code().to_string(),
        }
    }
}

impl TransferBody {
    /// A transfer as it was posted.
    pub(crate) fn posted(transfer: &Transfer) -> Self {
        let details = &transfer.details;
        Self {
            id: transfer.key.id.to_string(),
            kind: kind(transfer.kind),
            status: "posted",
            legs: transfer.legs.iter().map(LegBody::of).collect(),
            code: Some(details.code).filter(|code| *code != 0),
            reference: details.reference.as_ref().map(ToString::to_string),
            description: details.description.as_ref().map(ToString::to_string),
            metadata: details.metadata.as_ref().map(metadata),
            effective_at: details.effective_at.map(time),
            reverses: transfer
                .reversal
                .as_ref()
                .map(|reversal| reversal.transfer.to_string()),
            created_at: time(transfer.created_at),
        }
    }

    /// A transfer as it stands.
    pub(crate) fn of(row: &TransferWithReversals) -> Self {
        let legs = || row.transfer.legs.iter().zip(&row.reversed);
        let is_whole = legs().all(|(leg, reversed)| leg.money.amount.minor() == *reversed);
        let is_begun = row.reversed.iter().any(|reversed| *reversed > 0);
        let status = match (is_begun, is_whole) {
            (false, _) => "posted",
            (true, false) => "partially_reversed",
            (true, true) => "reversed",
        };
        Self {
            status,
            ..Self::posted(&row.transfer)
        }
    }
}

const fn kind(kind: TransferKind) -> &'static str {
    match kind {
        TransferKind::Transfer => "transfer",
        TransferKind::Deposit => "deposit",
        TransferKind::Withdrawal => "withdrawal",
        TransferKind::Split => "split",
        TransferKind::Capture => "capture",
        TransferKind::Reversal => "reversal",
    }
}
