//! The JSON of transfers and holds inside of events.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wallet_core::{
    Amount, Currency, Description, Details, Hold, HoldStatus, InLedger, LedgerId, Leg, Metadata,
    Money, Reference, Reversal, Transfer, TransferKind, format_minor,
};

use super::text::{EventError, amount, id, minor, time_of, time_text};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TransferBody {
    id: String,
    kind: KindText,
    legs: Vec<LegBody>,
    #[serde(flatten)]
    details: DetailsBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<ReversalBody>,
    created_at: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindText {
    Transfer,
    Deposit,
    Withdrawal,
    Split,
    Capture,
    Reversal,
}

#[derive(Debug, Serialize, Deserialize)]
struct LegBody {
    from: String,
    to: String,
    amount: String,
    currency: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReversalBody {
    transfer: String,
    legs: Vec<u16>,
    forced: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct DetailsBody {
    #[serde(default, skip_serializing_if = "is_zero")]
    code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_at: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HoldBody {
    id: String,
    from: String,
    to: String,
    amount: String,
    captured: String,
    released: String,
    currency: String,
    status: HoldText,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(flatten)]
    details: DetailsBody,
    created_at: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HoldText {
    Pending,
    Captured,
    Released,
    Expired,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_zero(code: &u32) -> bool {
    *code == 0
}

/// Money whose text has all of its currency's decimals, which tells how many
/// the currency has.
fn money(text: &str, code: &str) -> Result<Money, EventError> {
    let currency = currency(text, code)?;
    let amount = amount(text, currency)?;
    Ok(Money { amount, currency })
}

fn currency(text: &str, code: &str) -> Result<Currency, EventError> {
    let decimals = text
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let damaged = EventError::Damaged("a currency");
    let decimals = u8::try_from(decimals).map_err(|_| damaged.clone())?;
    Currency::new(code, decimals).map_err(|_| damaged)
}

impl TransferBody {
    pub(super) fn of(transfer: &Transfer) -> Self {
        Self {
            id: transfer.key.id.to_string(),
            kind: transfer.kind.into(),
            legs: transfer.legs.iter().map(LegBody::of).collect(),
            details: DetailsBody::of(&transfer.details),
            hold: transfer.hold.as_ref().map(ToString::to_string),
            reverses: transfer.reversal.as_ref().map(|reversal| ReversalBody {
                transfer: reversal.transfer.to_string(),
                legs: reversal.legs.clone(),
                forced: reversal.forced,
            }),
            created_at: time_text(transfer.created_at),
        }
    }

    pub(super) fn transfer(self, ledger: LedgerId) -> Result<Transfer, EventError> {
        let reversal = self.reverses.map(|reverses| {
            Ok(Reversal {
                transfer: id(&reverses.transfer)?,
                legs: reverses.legs,
                forced: reverses.forced,
            })
        });
        let legs: Result<Vec<Leg>, EventError> = self.legs.iter().map(LegBody::leg).collect();
        Ok(Transfer {
            key: InLedger::new(ledger, id(&self.id)?),
            kind: self.kind.into(),
            legs: legs?,
            details: self.details.details()?,
            hold: self.hold.as_deref().map(id).transpose()?,
            reversal: reversal.transpose()?,
            created_at: time_of(&self.created_at)?,
        })
    }
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

    fn leg(&self) -> Result<Leg, EventError> {
        let money = money(&self.amount, &self.currency)?;
        Ok(Leg::new(id(&self.from)?, id(&self.to)?, money))
    }
}

impl DetailsBody {
    fn of(details: &Details) -> Self {
        let metadata = details.metadata.as_ref();
        Self {
            code: details.code,
            reference: details.reference.as_ref().map(ToString::to_string),
            description: details.description.as_ref().map(ToString::to_string),
            // It is JSON: it was parsed when it came in.
            metadata: metadata.and_then(|json| serde_json::from_str(json.as_str()).ok()),
            effective_at: details.effective_at.map(time_text),
        }
    }

    fn details(self) -> Result<Details, EventError> {
        let metadata = self.metadata.as_ref().map(Metadata::from_value);
        Ok(Details {
            code: self.code,
            reference: told(self.reference.as_deref().map(Reference::new))?,
            description: told(self.description.as_deref().map(Description::new))?,
            metadata: told(metadata)?,
            effective_at: self.effective_at.as_deref().map(time_of).transpose()?,
        })
    }
}

/// What the host once said, and its types accepted.
fn told<T, E>(text: Option<Result<T, E>>) -> Result<Option<T>, EventError> {
    let told = text.transpose();
    told.map_err(|_| EventError::Damaged("what the host said"))
}

impl HoldBody {
    pub(super) fn of(hold: &Hold) -> Self {
        let text = |minor| format_minor(minor, hold.money.currency);
        Self {
            id: hold.key.id.to_string(),
            from: hold.from.to_string(),
            to: hold.to.to_string(),
            amount: text(hold.money.amount.minor()),
            captured: text(hold.captured),
            released: text(hold.released),
            currency: hold.money.currency.code().to_string(),
            status: match hold.status {
                HoldStatus::Pending => HoldText::Pending,
                HoldStatus::Captured => HoldText::Captured,
                HoldStatus::Released => HoldText::Released,
                HoldStatus::Expired => HoldText::Expired,
            },
            expires_at: hold.expires_at.map(time_text),
            details: DetailsBody::of(&hold.details),
            created_at: time_text(hold.created_at),
        }
    }

    pub(super) fn hold(self, ledger: LedgerId) -> Result<Hold, EventError> {
        let currency = currency(&self.amount, &self.currency)?;
        let reserved: Amount = amount(&self.amount, currency)?;
        Ok(Hold {
            key: InLedger::new(ledger, id(&self.id)?),
            from: id(&self.from)?,
            to: id(&self.to)?,
            money: Money {
                amount: reserved,
                currency,
            },
            captured: minor(&self.captured, currency)?,
            released: minor(&self.released, currency)?,
            status: match self.status {
                HoldText::Pending => HoldStatus::Pending,
                HoldText::Captured => HoldStatus::Captured,
                HoldText::Released => HoldStatus::Released,
                HoldText::Expired => HoldStatus::Expired,
            },
            expires_at: self.expires_at.as_deref().map(time_of).transpose()?,
            details: self.details.details()?,
            created_at: time_of(&self.created_at)?,
        })
    }
}

impl From<TransferKind> for KindText {
    fn from(kind: TransferKind) -> Self {
        match kind {
            TransferKind::Transfer => Self::Transfer,
            TransferKind::Deposit => Self::Deposit,
            TransferKind::Withdrawal => Self::Withdrawal,
            TransferKind::Split => Self::Split,
            TransferKind::Capture => Self::Capture,
            TransferKind::Reversal => Self::Reversal,
        }
    }
}

impl From<KindText> for TransferKind {
    fn from(kind: KindText) -> Self {
        match kind {
            KindText::Transfer => Self::Transfer,
            KindText::Deposit => Self::Deposit,
            KindText::Withdrawal => Self::Withdrawal,
            KindText::Split => Self::Split,
            KindText::Capture => Self::Capture,
            KindText::Reversal => Self::Reversal,
        }
    }
}
