use super::DecodeError;
use super::parts::{
    flag, has, has_pending, read_counters, read_currency, read_later_epoch, read_ordinal,
    write_counters, write_currency, write_epoch, write_ordinal,
};
use super::wire::{Reader, Writer};
use crate::ledger::{AccountId, Balance, Epoch, InLedger, LedgerId};

const PENDING: u8 = 1;
/// The balance has an epoch field, because its epoch is not the first one.
const LATER_EPOCH: u8 = 2;

/// The approximate number of bytes.
pub(super) const SIZE_HINT: usize = 48;

pub(super) fn write(writer: &mut Writer, balance: &Balance) {
    // Names every field, so that a new one cannot be forgotten here.
    let Balance {
        account,
        currency,
        counters,
        epoch,
        version,
    } = balance;
    writer.id(account.id.as_bytes());
    let is_later = *epoch > Epoch::FIRST;
    writer.byte(flag(has_pending(counters), PENDING) | flag(is_later, LATER_EPOCH));
    write_currency(writer, *currency);
    write_counters(writer, counters);
    if is_later {
        write_epoch(writer, *epoch);
    }
    write_ordinal(writer, *version);
}

pub(super) fn read(reader: &mut Reader<'_>, ledger: LedgerId) -> Result<Balance, DecodeError> {
    let id = AccountId::from_bytes(reader.id()?);
    let flags = reader.flags(PENDING | LATER_EPOCH)?;
    Ok(Balance {
        account: InLedger::new(ledger, id),
        currency: read_currency(reader)?,
        counters: read_counters(reader, has(flags, PENDING))?,
        epoch: if has(flags, LATER_EPOCH) {
            read_later_epoch(reader)?
        } else {
            Epoch::FIRST
        },
        version: read_ordinal(reader, 1)?,
    })
}
