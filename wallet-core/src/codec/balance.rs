use super::DecodeError;
use super::parts::{
    flag, has, has_pending, read_counters, read_currency, read_ordinal, write_counters,
    write_currency, write_ordinal,
};
use super::wire::{Reader, Writer};
use crate::{AccountId, Balance, InLedger, LedgerId};

const PENDING: u8 = 1;

/// About how many bytes it takes.
pub(super) const SIZE_HINT: usize = 48;

pub(super) fn write(writer: &mut Writer, balance: &Balance) {
    // Names every field, so that a new one cannot be forgotten here.
    let Balance {
        account,
        currency,
        counters,
        version,
    } = balance;
    writer.id(account.id.as_bytes());
    writer.byte(flag(has_pending(counters), PENDING));
    write_currency(writer, *currency);
    write_counters(writer, counters);
    write_ordinal(writer, *version);
}

pub(super) fn read(reader: &mut Reader<'_>, ledger: LedgerId) -> Result<Balance, DecodeError> {
    let id = AccountId::from_bytes(reader.id()?);
    let flags = reader.flags(PENDING)?;
    Ok(Balance {
        account: InLedger::new(ledger, id),
        currency: read_currency(reader)?,
        counters: read_counters(reader, has(flags, PENDING))?,
        version: read_ordinal(reader, 1)?,
    })
}
