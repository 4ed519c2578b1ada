use super::DecodeError;
use super::parts::{
    flag, has, read_amount, read_currency, read_details, write_amount, write_currency,
    write_details,
};
use super::wire::{Reader, Writer};
use crate::ledger::{
    AccountId, HoldId, InLedger, LedgerId, Leg, Money, Reversal, Timestamp, Transfer, TransferId,
};

const HOLD: u8 = 1;
const REVERSAL: u8 = 2;
const FORCED: u8 = 4;

/// The approximate number of bytes.
pub(super) fn size_hint(transfer: &Transfer) -> usize {
    let legs = transfer.legs.len().saturating_mul(48);
    let texts = transfer.details.text_bytes();
    legs.saturating_add(texts).saturating_add(80)
}

pub(super) fn write(writer: &mut Writer, transfer: &Transfer, base: Timestamp) {
    // Names every field, so that a new one cannot be forgotten here.
    let Transfer {
        key,
        kind,
        legs,
        details,
        hold,
        reversal,
        created_at,
    } = transfer;
    writer.id(key.id.as_bytes());
    writer.numbered(*kind);
    let is_forced = reversal.as_ref().is_some_and(|undo| undo.forced);
    writer.byte(
        flag(hold.is_some(), HOLD) | flag(reversal.is_some(), REVERSAL) | flag(is_forced, FORCED),
    );
    writer.time(*created_at, base);
    write_legs(writer, legs);
    write_details(writer, details, *created_at);
    if let Some(hold) = hold {
        writer.id(hold.as_bytes());
    }
    if let Some(reversal) = reversal {
        writer.id(reversal.transfer.as_bytes());
        writer.count(reversal.legs.len());
        for leg in &reversal.legs {
            writer.unsigned(u64::from(*leg));
        }
    }
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    ledger: LedgerId,
    base: Timestamp,
) -> Result<Transfer, DecodeError> {
    let id = TransferId::from_bytes(reader.id()?);
    let kind = reader.numbered()?;
    let flags = reader.flags(HOLD | REVERSAL | FORCED)?;
    let created_at = reader.time(base)?;
    let legs = read_legs(reader)?;
    let details = read_details(reader, created_at)?;
    let mut transfer = Transfer {
        key: InLedger::new(ledger, id),
        kind,
        legs,
        details,
        hold: None,
        reversal: None,
        created_at,
    };
    if has(flags, HOLD) {
        transfer.hold = Some(HoldId::from_bytes(reader.id()?));
    }
    if has(flags, REVERSAL) {
        transfer.reversal = Some(read_reversal(reader, has(flags, FORCED))?);
    } else if has(flags, FORCED) {
        return Err(DecodeError::Damaged);
    }
    Ok(transfer)
}

fn read_reversal(reader: &mut Reader<'_>, forced: bool) -> Result<Reversal, DecodeError> {
    let transfer = TransferId::from_bytes(reader.id()?);
    let count = reader.count(1)?;
    let mut legs = Vec::with_capacity(count);
    for _ in 0..count {
        legs.push(reader.number()?);
    }
    Ok(Reversal {
        transfer,
        legs,
        forced,
    })
}

/// Flags of a leg: the field equals that of the previous leg.
const SAME_FROM: u8 = 1;
const SAME_TO: u8 = 2;
const SAME_CURRENCY: u8 = 4;

fn write_legs(writer: &mut Writer, legs: &[Leg]) {
    writer.count(legs.len());
    let mut before: Option<&Leg> = None;
    for leg in legs {
        let same_from = before.is_some_and(|before| before.from == leg.from);
        let same_to = before.is_some_and(|before| before.to == leg.to);
        let currency = leg.money.currency;
        let same_currency = before.is_some_and(|before| before.money.currency == currency);
        writer.byte(
            flag(same_from, SAME_FROM)
                | flag(same_to, SAME_TO)
                | flag(same_currency, SAME_CURRENCY),
        );
        if !same_from {
            writer.id(leg.from.as_bytes());
        }
        if !same_to {
            writer.id(leg.to.as_bytes());
        }
        if !same_currency {
            write_currency(writer, currency);
        }
        write_amount(writer, leg.money.amount);
        before = Some(leg);
    }
}

fn read_legs(reader: &mut Reader<'_>) -> Result<Vec<Leg>, DecodeError> {
    // A leg has at least two bytes: flags and amount.
    let count = reader.count(2)?;
    let mut legs: Vec<Leg> = Vec::with_capacity(count);
    for _ in 0..count {
        let flags = reader.flags(SAME_FROM | SAME_TO | SAME_CURRENCY)?;
        let before = legs.last().ok_or(DecodeError::Damaged);
        let from = if has(flags, SAME_FROM) {
            before?.from
        } else {
            AccountId::from_bytes(reader.id()?)
        };
        let to = if has(flags, SAME_TO) {
            before?.to
        } else {
            AccountId::from_bytes(reader.id()?)
        };
        let currency = if has(flags, SAME_CURRENCY) {
            before?.money.currency
        } else {
            read_currency(reader)?
        };
        let amount = read_amount(reader)?;
        legs.push(Leg::new(from, to, Money { amount, currency }));
    }
    if legs.is_empty() {
        return Err(DecodeError::Damaged);
    }
    Ok(legs)
}
