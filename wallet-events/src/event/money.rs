//! Transfers and holds inside of events, as they are read from JSON.

use serde::Deserialize;
use serde_json::Value;
use wallet_core::ledger::{Description, Details, HoldStatus, InLedger, Reversal, TransferKind};
use wallet_core::{Amount, Currency, Hold, LedgerId, Leg, Metadata, Money, Reference, Transfer};

use super::text::{EventError, Text, amount, id, minor, named, time_of};

#[derive(Debug, Deserialize)]
pub(super) struct TransferBody<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    kind: Text<'a>,
    legs: Vec<LegBody<'a>>,
    #[serde(default)]
    code: u32,
    reference: Option<Text<'a>>,
    description: Option<Text<'a>>,
    metadata: Option<Value>,
    effective_at: Option<Text<'a>>,
    hold: Option<Text<'a>>,
    reverses: Option<ReversalBody<'a>>,
    created_at: Text<'a>,
}

#[derive(Debug, Deserialize)]
struct LegBody<'a> {
    #[serde(borrow)]
    from: Text<'a>,
    to: Text<'a>,
    amount: Text<'a>,
    currency: Text<'a>,
}

#[derive(Debug, Deserialize)]
struct ReversalBody<'a> {
    #[serde(borrow)]
    transfer: Text<'a>,
    legs: Vec<u16>,
    forced: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct HoldBody<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    from: Text<'a>,
    to: Text<'a>,
    amount: Text<'a>,
    captured: Text<'a>,
    released: Text<'a>,
    currency: Text<'a>,
    status: Text<'a>,
    expires_at: Option<Text<'a>>,
    #[serde(default)]
    code: u32,
    reference: Option<Text<'a>>,
    description: Option<Text<'a>>,
    metadata: Option<Value>,
    effective_at: Option<Text<'a>>,
    created_at: Text<'a>,
}

/// Money whose text has all decimals of its currency. The text thereby shows how many
/// decimals the currency has.
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

impl TransferBody<'_> {
    pub(super) fn transfer(self, ledger: LedgerId) -> Result<Transfer, EventError> {
        let said = [self.reference, self.description, self.effective_at];
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
            kind: named(TransferKind::of_name(&self.kind), "a kind")?,
            legs: legs?,
            details: details(self.code, said, self.metadata.as_ref())?,
            hold: self.hold.as_deref().map(id).transpose()?,
            reversal: reversal.transpose()?,
            created_at: time_of(&self.created_at)?,
        })
    }
}

impl LegBody<'_> {
    fn leg(&self) -> Result<Leg, EventError> {
        let money = money(&self.amount, &self.currency)?;
        Ok(Leg::new(id(&self.from)?, id(&self.to)?, money))
    }
}

/// The host's details of a transfer or a hold.
fn details(
    code: u32,
    [reference, description, effective_at]: [Option<Text<'_>>; 3],
    metadata: Option<&Value>,
) -> Result<Details, EventError> {
    Ok(Details {
        code,
        reference: accepted(reference.as_deref().map(Reference::new))?,
        description: accepted(description.as_deref().map(Description::new))?,
        metadata: accepted(metadata.map(Metadata::from_value))?,
        effective_at: effective_at.as_deref().map(time_of).transpose()?,
    })
}

/// Converts a host text that the core's types accepted at commit.
fn accepted<T, E>(text: Option<Result<T, E>>) -> Result<Option<T>, EventError> {
    let value = text.transpose();
    value.map_err(|_| EventError::Damaged("what the host said"))
}

impl HoldBody<'_> {
    pub(super) fn hold(self, ledger: LedgerId) -> Result<Hold, EventError> {
        let said = [self.reference, self.description, self.effective_at];
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
            status: named(HoldStatus::of_name(&self.status), "a status")?,
            expires_at: self.expires_at.as_deref().map(time_of).transpose()?,
            details: details(self.code, said, self.metadata.as_ref())?,
            created_at: time_of(&self.created_at)?,
        })
    }
}
