use super::DecodeError;
use super::parts::{
    flag, has, has_pending, read_amount, read_counters, read_ordinal, write_amount, write_counters,
    write_ordinal,
};
use super::wire::{Reader, Writer};
use crate::ledger::{AccountId, Direction, Effect, EntryMark, Leg};

const SYSTEM: u8 = 1;
/// The account is the one that the leg debits.
const OF_DEBITED: u8 = 2;
/// The account is the one that the leg credits.
const OF_CREDITED: u8 = 4;
const ENTRY: u8 = 8;
const CREDIT: u8 = 16;
/// The entry's amount differs from the leg's amount.
const OWN_AMOUNT: u8 = 32;
const PENDING: u8 = 64;

/// Kind, flags, version and two counters.
const LEAST_BYTES: usize = 5;

/// Writes the effects of `legs`. An effect without an entry refers to the first
/// leg, whose accounts it usually shares.
pub(super) fn write_all(writer: &mut Writer, effects: &[Effect], legs: &[Leg]) {
    writer.count(effects.len());
    for effect in effects {
        write(writer, effect, legs);
    }
}

fn write(writer: &mut Writer, effect: &Effect, legs: &[Leg]) {
    let index = effect.entry.map_or(0, |mark| mark.leg);
    let leg = legs.get(usize::from(index));
    let of_debited = leg.is_some_and(|leg| leg.from == effect.account);
    let of_credited = !of_debited && leg.is_some_and(|leg| leg.to == effect.account);
    let mut flags = flag(effect.system, SYSTEM)
        | flag(of_debited, OF_DEBITED)
        | flag(of_credited, OF_CREDITED)
        | flag(has_pending(&effect.counters), PENDING);
    let mut own_amount = None;
    if let Some(mark) = &effect.entry {
        let is_other = leg.is_none_or(|leg| leg.money.amount != mark.amount);
        own_amount = is_other.then_some(mark.amount);
        flags |= ENTRY | flag(is_other, OWN_AMOUNT);
        flags |= match mark.direction {
            Direction::Debit => 0,
            Direction::Credit => CREDIT,
        };
    }
    writer.numbered(effect.kind);
    writer.byte(flags);
    if let Some(mark) = &effect.entry {
        writer.unsigned(u64::from(mark.leg));
        write_ordinal(writer, mark.sequence);
    }
    if let Some(amount) = own_amount {
        write_amount(writer, amount);
    }
    if !of_debited && !of_credited {
        writer.id(effect.account.as_bytes());
    }
    write_ordinal(writer, effect.version);
    write_counters(writer, &effect.counters);
}

pub(super) fn read_all(reader: &mut Reader<'_>, legs: &[Leg]) -> Result<Vec<Effect>, DecodeError> {
    let count = reader.count(LEAST_BYTES)?;
    let mut effects = Vec::with_capacity(count);
    for _ in 0..count {
        effects.push(read(reader, legs)?);
    }
    Ok(effects)
}

fn read(reader: &mut Reader<'_>, legs: &[Leg]) -> Result<Effect, DecodeError> {
    let kind = reader.numbered()?;
    let known = SYSTEM | OF_DEBITED | OF_CREDITED | ENTRY | CREDIT | OWN_AMOUNT | PENDING;
    let flags = reader.flags(known)?;
    let mut leg = legs.first().ok_or(DecodeError::Damaged)?;
    let mut entry = None;
    if has(flags, ENTRY) {
        let index = reader.number()?;
        leg = legs.get(usize::from(index)).ok_or(DecodeError::Damaged)?;
        entry = Some(EntryMark {
            sequence: read_ordinal(reader, 1)?,
            leg: index,
            direction: if has(flags, CREDIT) {
                Direction::Credit
            } else {
                Direction::Debit
            },
            amount: if has(flags, OWN_AMOUNT) {
                read_amount(reader)?
            } else {
                leg.money.amount
            },
        });
    } else if has(flags, CREDIT | OWN_AMOUNT) {
        return Err(DecodeError::Damaged);
    }
    let account = match (has(flags, OF_DEBITED), has(flags, OF_CREDITED)) {
        (true, false) => leg.from,
        (false, true) => leg.to,
        (false, false) => AccountId::from_bytes(reader.id()?),
        (true, true) => return Err(DecodeError::Damaged),
    };
    Ok(Effect {
        account,
        system: has(flags, SYSTEM),
        kind,
        version: read_ordinal(reader, 1)?,
        counters: read_counters(reader, has(flags, PENDING))?,
        entry,
    })
}
