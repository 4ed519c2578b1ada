use super::DecodeError;
use super::parts::{
    flag, has, has_pending, read_amount, read_counters, read_currency, read_metadata, read_ordinal,
    write_amount, write_counters, write_currency, write_ordinal,
};
use super::wire::{Reader, Writer};
use crate::ledger::{
    Account, AccountChanged, AccountId, AccountState, EffectKind, InLedger, LedgerId, Owner,
    Policy, Timestamp,
};

const SYSTEM: u8 = 1;
const CEILING: u8 = 2;
const PENDING: u8 = 4;
const OVERDRAFT: u8 = 8;
const UNLIMITED: u8 = 16;

/// The approximate number of bytes of the mutable part.
pub(super) const STATE_SIZE_HINT: usize = 80;

/// The approximate number of bytes.
pub(super) fn size_hint(account: &Account) -> usize {
    let metadata = account.metadata.as_ref();
    metadata
        .map_or(0, |metadata| metadata.as_str().len())
        .saturating_add(account.owner.as_str().len())
        .saturating_add(STATE_SIZE_HINT)
}

pub(super) fn write(writer: &mut Writer, account: &Account, base: Timestamp) {
    // Names every field, so that a new one cannot be forgotten here.
    let Account {
        state,
        owner,
        metadata,
        created_at,
    } = account;
    write_state(writer, state, base);
    writer.text(owner.as_str());
    // Metadata is never empty, so an empty text means no metadata.
    writer.text(metadata.as_ref().map_or("", |metadata| metadata.as_str()));
    writer.time(*created_at, base);
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    ledger: LedgerId,
    base: Timestamp,
) -> Result<Account, DecodeError> {
    Ok(Account {
        state: read_state(reader, ledger, base)?,
        owner: reader.text(Owner::new)?,
        metadata: if reader.skip_zero() {
            None
        } else {
            Some(read_metadata(reader)?)
        },
        created_at: reader.time(base)?,
    })
}

pub(super) fn write_changed(writer: &mut Writer, changed: &AccountChanged, base: Timestamp) {
    let AccountChanged { state, effect } = changed;
    writer.byte(effect.map_or(0, EffectKind::number));
    write_state(writer, state, base);
}

pub(super) fn read_changed(
    reader: &mut Reader<'_>,
    ledger: LedgerId,
    base: Timestamp,
) -> Result<AccountChanged, DecodeError> {
    let effect = match reader.byte()? {
        0 => None,
        number => Some(EffectKind::of_number(number).ok_or(DecodeError::Damaged)?),
    };
    let state = read_state(reader, ledger, base)?;
    Ok(AccountChanged { state, effect })
}

fn write_state(writer: &mut Writer, state: &AccountState, base: Timestamp) {
    // Names every field, so that a new one cannot be forgotten here.
    let AccountState {
        key,
        currency,
        system,
        policy,
        max_balance,
        status,
        counters,
        version,
        sequence,
        last_at,
    } = state;
    let (policy_flag, overdraft) = match policy {
        Policy::NonNegative => (0, None),
        Policy::Overdraft(limit) => (OVERDRAFT, Some(*limit)),
        Policy::Unlimited => (UNLIMITED, None),
    };
    writer.id(key.id.as_bytes());
    writer.byte(
        flag(*system, SYSTEM)
            | flag(max_balance.is_some(), CEILING)
            | flag(has_pending(counters), PENDING)
            | policy_flag,
    );
    writer.numbered(*status);
    write_currency(writer, *currency);
    if let Some(limit) = overdraft {
        write_amount(writer, limit);
    }
    if let Some(max) = max_balance {
        write_amount(writer, *max);
    }
    write_counters(writer, counters);
    write_ordinal(writer, *version);
    write_ordinal(writer, *sequence);
    writer.time(*last_at, base);
}

fn read_state(
    reader: &mut Reader<'_>,
    ledger: LedgerId,
    base: Timestamp,
) -> Result<AccountState, DecodeError> {
    let id = AccountId::from_bytes(reader.id()?);
    let flags = reader.flags(SYSTEM | CEILING | PENDING | OVERDRAFT | UNLIMITED)?;
    let status = reader.numbered()?;
    let currency = read_currency(reader)?;
    let policy = match (has(flags, OVERDRAFT), has(flags, UNLIMITED)) {
        (false, false) => Policy::NonNegative,
        (true, false) => Policy::Overdraft(read_amount(reader)?),
        (false, true) => Policy::Unlimited,
        (true, true) => return Err(DecodeError::Damaged),
    };
    let max_balance = if has(flags, CEILING) {
        Some(read_amount(reader)?)
    } else {
        None
    };
    Ok(AccountState {
        key: InLedger::new(ledger, id),
        currency,
        system: has(flags, SYSTEM),
        policy,
        max_balance,
        status,
        counters: read_counters(reader, has(flags, PENDING))?,
        version: read_ordinal(reader, 1)?,
        sequence: read_ordinal(reader, 0)?,
        last_at: reader.time(base)?,
    })
}
