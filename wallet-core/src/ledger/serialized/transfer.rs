//! Transfers, entries and holds.

use serde::{Deserialize, Serialize};

use super::money::{CurrencyFields, MoneyFields, amount, sum};
use super::{Minor, Ordinal, by_checked_fields, by_fields};
use crate::ledger::{
    AccountId, Amount, Description, Details, Direction, Entry, Epoch, Hold, HoldId, HoldStatus,
    InLedger, LedgerId, Leg, Metadata, Money, Reference, Reversal, StatementLine, Timestamp,
    Transfer, TransferId, TransferKind, TransferWithReversals, format_minor,
};

#[derive(Serialize, Deserialize)]
struct LegFields {
    from: AccountId,
    to: AccountId,
    #[serde(flatten)]
    money: MoneyFields,
    /// The amount reversed since, where any is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reversed: Option<String>,
}

impl LegFields {
    fn of(leg: &Leg) -> Self {
        Self {
            from: leg.from,
            to: leg.to,
            money: MoneyFields::of(&leg.money),
            reversed: None,
        }
    }

    fn value(&self) -> Result<Leg, String> {
        Ok(Leg::new(self.from, self.to, self.money.value()?))
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(code: &u32) -> bool {
    *code == 0
}

#[derive(Serialize, Deserialize)]
struct DetailsFields {
    #[serde(default, skip_serializing_if = "is_zero")]
    code: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effective_at: Option<Timestamp>,
}

impl DetailsFields {
    fn of(details: &Details) -> Self {
        let Details {
            code,
            reference,
            description,
            metadata,
            effective_at,
        } = details.clone();
        Self {
            code,
            reference,
            description,
            metadata,
            effective_at,
        }
    }

    fn value(self) -> Details {
        Details {
            code: self.code,
            reference: self.reference,
            description: self.description,
            metadata: self.metadata,
            effective_at: self.effective_at,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct TransferFields {
    #[serde(default)]
    ledger: LedgerId,
    id: TransferId,
    kind: TransferKind,
    legs: Vec<LegFields>,
    #[serde(flatten)]
    details: DetailsFields,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<HoldId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reverses: Option<TransferId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reverses_legs: Option<Vec<u16>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forced: Option<bool>,
    created_at: Timestamp,
}

impl TransferFields {
    fn of(transfer: &Transfer) -> Self {
        let reversal = transfer.reversal.as_ref();
        Self {
            ledger: transfer.key.ledger,
            id: transfer.key.id,
            kind: transfer.kind,
            legs: transfer.legs.iter().map(LegFields::of).collect(),
            details: DetailsFields::of(&transfer.details),
            hold: transfer.hold,
            reverses: reversal.map(|reversal| reversal.transfer),
            reverses_legs: reversal.map(|reversal| reversal.legs.clone()),
            forced: reversal.map(|reversal| reversal.forced),
            created_at: transfer.created_at,
        }
    }

    fn value(self) -> Result<Transfer, String> {
        let reversal = match (self.reverses, self.reverses_legs, self.forced) {
            (None, None, None) => None,
            (Some(transfer), Some(legs), Some(forced)) => Some(Reversal {
                transfer,
                legs,
                forced,
            }),
            _ => return Err("reverses, reverses_legs and forced belong together".to_owned()),
        };
        let legs = self.legs.iter().map(LegFields::value);
        Ok(Transfer {
            key: InLedger::new(self.ledger, self.id),
            kind: self.kind,
            legs: legs.collect::<Result<_, _>>()?,
            details: self.details.value(),
            hold: self.hold,
            reversal,
            created_at: self.created_at,
        })
    }
}

/// A transfer whose legs also have what was reversed of them.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct ReversedFields(TransferFields);

impl ReversedFields {
    fn of(row: &TransferWithReversals) -> Self {
        let mut fields = TransferFields::of(&row.transfer);
        let legs = row.transfer.legs.iter().zip(&row.reversed);
        for (shown, (leg, reversed)) in fields.legs.iter_mut().zip(legs) {
            let text = || format_minor(*reversed, leg.money.currency);
            shown.reversed = (*reversed > 0).then(text);
        }
        Self(fields)
    }

    fn value(self) -> Result<TransferWithReversals, String> {
        let reversed: Vec<_> = self.0.legs.iter().map(|leg| leg.reversed.clone()).collect();
        let transfer = self.0.value()?;
        let legs = transfer.legs.iter().zip(reversed);
        let reversed = legs.map(|(leg, reversed)| match reversed {
            None => Ok(0),
            Some(text) => portion("reversed", &text, &leg.money),
        });
        Ok(TransferWithReversals {
            reversed: reversed.collect::<Result<_, _>>()?,
            transfer,
        })
    }
}

/// A part of `whole` from its text.
fn portion(name: &str, text: &str, whole: &Money) -> Result<i128, String> {
    let part = sum(name, text, whole.currency)?;
    if part > whole.amount.minor() {
        return Err(format!("{name}: more than the amount"));
    }
    Ok(part)
}

#[derive(Serialize, Deserialize)]
struct EntryFields {
    #[serde(default)]
    ledger: LedgerId,
    account: AccountId,
    sequence: Ordinal,
    epoch: Epoch,
    version: Ordinal,
    direction: Direction,
    amount_minor: Amount,
    balance_after_minor: Minor,
    transfer: TransferId,
    leg: u16,
    created_at: Timestamp,
}

impl EntryFields {
    const fn of(entry: &Entry) -> Self {
        Self {
            ledger: entry.account.ledger,
            account: entry.account.id,
            sequence: Ordinal(entry.sequence),
            epoch: entry.epoch,
            version: Ordinal(entry.version),
            direction: entry.direction,
            amount_minor: entry.amount,
            balance_after_minor: Minor(entry.balance_after),
            transfer: entry.transfer,
            leg: entry.leg,
            created_at: entry.created_at,
        }
    }

    const fn value(self) -> Entry {
        Entry {
            account: InLedger::new(self.ledger, self.account),
            sequence: self.sequence.0,
            epoch: self.epoch,
            version: self.version.0,
            direction: self.direction,
            amount: self.amount_minor,
            balance_after: self.balance_after_minor.0,
            transfer: self.transfer,
            leg: self.leg,
            created_at: self.created_at,
        }
    }
}

/// An entry's fields, the currency of its amounts, and those of its transfer.
#[derive(Serialize, Deserialize)]
struct LineFields {
    #[serde(flatten)]
    entry: EntryFields,
    #[serde(flatten)]
    currency: CurrencyFields,
    counterparty: AccountId,
    kind: TransferKind,
    #[serde(flatten)]
    details: DetailsFields,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<HoldId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reverses: Option<TransferId>,
}

impl LineFields {
    fn of(line: &StatementLine) -> Self {
        Self {
            entry: EntryFields::of(&line.entry),
            currency: CurrencyFields::of(line.currency),
            counterparty: line.counterparty,
            kind: line.kind,
            details: DetailsFields::of(&line.details),
            hold: line.hold,
            reverses: line.reverses,
        }
    }

    fn value(self) -> Result<StatementLine, String> {
        Ok(StatementLine {
            entry: self.entry.value(),
            currency: self.currency.value()?,
            counterparty: self.counterparty,
            kind: self.kind,
            details: self.details.value(),
            hold: self.hold,
            reverses: self.reverses,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct HoldFields {
    #[serde(default)]
    ledger: LedgerId,
    id: HoldId,
    from: AccountId,
    to: AccountId,
    amount: String,
    captured: String,
    released: String,
    #[serde(flatten)]
    currency: CurrencyFields,
    status: HoldStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(flatten)]
    details: DetailsFields,
    created_at: Timestamp,
}

impl HoldFields {
    fn of(hold: &Hold) -> Self {
        let text = |minor| format_minor(minor, hold.money.currency);
        Self {
            ledger: hold.key.ledger,
            id: hold.key.id,
            from: hold.from,
            to: hold.to,
            amount: text(hold.money.amount.minor()),
            captured: text(hold.captured),
            released: text(hold.released),
            currency: CurrencyFields::of(hold.money.currency),
            status: hold.status,
            expires_at: hold.expires_at,
            details: DetailsFields::of(&hold.details),
            created_at: hold.created_at,
        }
    }

    fn value(self) -> Result<Hold, String> {
        let currency = self.currency.value()?;
        let money = Money {
            amount: amount("amount", &self.amount, currency)?,
            currency,
        };
        Ok(Hold {
            key: InLedger::new(self.ledger, self.id),
            from: self.from,
            to: self.to,
            money,
            captured: portion("captured", &self.captured, &money)?,
            released: portion("released", &self.released, &money)?,
            status: self.status,
            expires_at: self.expires_at,
            details: self.details.value(),
            created_at: self.created_at,
        })
    }
}

by_fields! {
    Details: DetailsFields,
    Entry: EntryFields,
}

by_checked_fields! {
    Hold: HoldFields,
    Leg: LegFields,
    StatementLine: LineFields,
    Transfer: TransferFields,
    TransferWithReversals: ReversedFields,
}
