use super::DecodeError;
use super::parts::{
    flag, has, read_amount, read_currency, read_details, read_sum, write_amount, write_currency,
    write_details, write_sum,
};
use super::wire::{Reader, Writer};
use crate::ledger::{AccountId, Hold, HoldId, InLedger, LedgerId, Leg, Money, Timestamp};

const KNOWN_ID: u8 = 1;
const KNOWN_ACCOUNTS: u8 = 2;
const KNOWN_CURRENCY: u8 = 4;
const EXPIRES: u8 = 8;

/// The data that was written before the hold. A capture's transfer has most of the
/// hold's fields.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub(super) id: Option<HoldId>,
    pub(super) leg: Option<&'a Leg>,
}

/// The approximate number of bytes.
pub(super) fn size_hint(hold: &Hold) -> usize {
    hold.details.text_bytes().saturating_add(112)
}

pub(super) fn write(writer: &mut Writer, hold: &Hold, known: Known<'_>, base: Timestamp) {
    // Names every field, so that a new one cannot be forgotten here.
    let Hold {
        key,
        from,
        to,
        money,
        captured,
        released,
        status,
        expires_at,
        details,
        created_at,
    } = hold;
    let knows_id = known.id == Some(key.id);
    let knows_accounts = known
        .leg
        .is_some_and(|leg| leg.from == *from && leg.to == *to);
    let knows_currency = known
        .leg
        .is_some_and(|leg| leg.money.currency == money.currency);
    writer.byte(
        flag(knows_id, KNOWN_ID)
            | flag(knows_accounts, KNOWN_ACCOUNTS)
            | flag(knows_currency, KNOWN_CURRENCY)
            | flag(expires_at.is_some(), EXPIRES),
    );
    if !knows_id {
        writer.id(key.id.as_bytes());
    }
    if !knows_accounts {
        writer.id(from.as_bytes());
        writer.id(to.as_bytes());
    }
    if !knows_currency {
        write_currency(writer, money.currency);
    }
    write_amount(writer, money.amount);
    write_sum(writer, *captured);
    write_sum(writer, *released);
    writer.numbered(*status);
    writer.time(*created_at, base);
    if let Some(expires_at) = expires_at {
        writer.time(*expires_at, *created_at);
    }
    write_details(writer, details, *created_at);
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    ledger: LedgerId,
    known: Known<'_>,
    base: Timestamp,
) -> Result<Hold, DecodeError> {
    let flags = reader.flags(KNOWN_ID | KNOWN_ACCOUNTS | KNOWN_CURRENCY | EXPIRES)?;
    let leg = known.leg.ok_or(DecodeError::Damaged);
    let id = if has(flags, KNOWN_ID) {
        known.id.ok_or(DecodeError::Damaged)?
    } else {
        HoldId::from_bytes(reader.id()?)
    };
    let (from, to) = if has(flags, KNOWN_ACCOUNTS) {
        let leg = leg?;
        (leg.from, leg.to)
    } else {
        let from = AccountId::from_bytes(reader.id()?);
        (from, AccountId::from_bytes(reader.id()?))
    };
    let currency = if has(flags, KNOWN_CURRENCY) {
        leg?.money.currency
    } else {
        read_currency(reader)?
    };
    let amount = read_amount(reader)?;
    let captured = read_sum(reader)?;
    let released = read_sum(reader)?;
    if captured.saturating_add(released) > amount.minor() {
        return Err(DecodeError::Damaged);
    }
    let status = reader.numbered()?;
    let created_at = reader.time(base)?;
    let expires_at = if has(flags, EXPIRES) {
        Some(reader.time(created_at)?)
    } else {
        None
    };
    Ok(Hold {
        key: InLedger::new(ledger, id),
        from,
        to,
        money: Money { amount, currency },
        captured,
        released,
        status,
        expires_at,
        details: read_details(reader, created_at)?,
        created_at,
    })
}
