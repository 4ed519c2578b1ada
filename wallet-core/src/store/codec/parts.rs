//! The parts that several formats share: amounts, currencies, counters, details.

use super::DecodeError;
use super::wire::{Reader, Writer};
use crate::ledger::{
    Amount, COUNTER_MAX, Counters, Currency, CurrencyCode, Description, Details, Epoch, Metadata,
    Reference, TextError, Timestamp,
};

/// `bit` where `condition` holds.
#[inline]
pub(super) const fn flag(condition: bool, bit: u8) -> u8 {
    if condition { bit } else { 0 }
}

/// Whether `bit` is set.
#[inline]
pub(super) const fn has(flags: u8, bit: u8) -> bool {
    flags & bit != 0
}

#[inline]
pub(super) fn write_amount(writer: &mut Writer, amount: Amount) {
    write_sum(writer, amount.minor());
}

pub(super) fn read_amount(reader: &mut Reader<'_>) -> Result<Amount, DecodeError> {
    let minor = reader.number()?;
    Amount::new(minor).map_err(|_| DecodeError::Damaged)
}

/// Writes a sum that is never negative. A negative one would not read back.
#[inline]
pub(super) fn write_sum(writer: &mut Writer, sum: i128) {
    writer.wide(sum.cast_unsigned());
}

pub(super) fn read_sum(reader: &mut Reader<'_>) -> Result<i128, DecodeError> {
    let sum = reader.number()?;
    if sum <= COUNTER_MAX {
        Ok(sum)
    } else {
        Err(DecodeError::Damaged)
    }
}

/// Writes a version or a sequence.
#[inline]
pub(super) fn write_ordinal(writer: &mut Writer, ordinal: i64) {
    writer.unsigned(ordinal.cast_unsigned());
}

pub(super) fn read_ordinal(reader: &mut Reader<'_>, least: i64) -> Result<i64, DecodeError> {
    let ordinal = reader.number()?;
    if ordinal >= least {
        Ok(ordinal)
    } else {
        Err(DecodeError::Damaged)
    }
}

#[inline]
pub(super) fn write_epoch(writer: &mut Writer, epoch: Epoch) {
    writer.unsigned(epoch.number());
}

/// Reads an epoch after the first one. The first epoch is never written.
pub(super) fn read_later_epoch(reader: &mut Reader<'_>) -> Result<Epoch, DecodeError> {
    let epoch = Epoch::new(reader.number()?).filter(|epoch| *epoch > Epoch::FIRST);
    epoch.ok_or(DecodeError::Damaged)
}

#[inline]
pub(super) fn write_currency(writer: &mut Writer, currency: Currency) {
    writer.byte(currency.exponent());
    writer.text(currency.code().as_str());
}

pub(super) fn read_currency(reader: &mut Reader<'_>) -> Result<Currency, DecodeError> {
    let exponent = reader.byte()?;
    let code = reader.text(CurrencyCode::new)?;
    Currency::from_parts(code, exponent).map_err(|_| DecodeError::Damaged)
}

/// Whether the counters of open holds are not zero and must be written.
#[inline]
pub(super) const fn has_pending(counters: &Counters) -> bool {
    counters.debits_pending != 0 || counters.credits_pending != 0
}

#[inline]
pub(super) fn write_counters(writer: &mut Writer, counters: &Counters) {
    write_sum(writer, counters.debits_posted);
    write_sum(writer, counters.credits_posted);
    if has_pending(counters) {
        write_sum(writer, counters.debits_pending);
        write_sum(writer, counters.credits_pending);
    }
}

pub(super) fn read_counters(
    reader: &mut Reader<'_>,
    has_pending: bool,
) -> Result<Counters, DecodeError> {
    let mut counters = Counters {
        debits_posted: read_sum(reader)?,
        credits_posted: read_sum(reader)?,
        ..Counters::default()
    };
    if has_pending {
        counters.debits_pending = read_sum(reader)?;
        counters.credits_pending = read_sum(reader)?;
    }
    Ok(counters)
}

/// Reads metadata, which must be in the canonical form of [`Metadata::parse`]. Code
/// that renders it relies on valid JSON.
pub(super) fn read_metadata(reader: &mut Reader<'_>) -> Result<Metadata, DecodeError> {
    reader.text(|text| match Metadata::parse(text) {
        Ok(metadata) if metadata.as_str() == text => Ok(metadata),
        Ok(_) => Err(TextError::NotCanonical),
        Err(error) => Err(error),
    })
}

const CODE: u8 = 1;
const REFERENCE: u8 = 2;
const DESCRIPTION: u8 = 4;
const METADATA: u8 = 8;
const EFFECTIVE_AT: u8 = 16;

pub(super) fn write_details(writer: &mut Writer, details: &Details, base: Timestamp) {
    let Details {
        code,
        reference,
        description,
        metadata,
        effective_at,
    } = details;
    writer.byte(
        flag(*code != 0, CODE)
            | flag(reference.is_some(), REFERENCE)
            | flag(description.is_some(), DESCRIPTION)
            | flag(metadata.is_some(), METADATA)
            | flag(effective_at.is_some(), EFFECTIVE_AT),
    );
    if *code != 0 {
        writer.unsigned(u64::from(*code));
    }
    if let Some(reference) = reference {
        writer.text(reference.as_str());
    }
    if let Some(description) = description {
        writer.text(description.as_str());
    }
    if let Some(metadata) = metadata {
        writer.text(metadata.as_str());
    }
    if let Some(effective_at) = effective_at {
        writer.time(*effective_at, base);
    }
}

pub(super) fn read_details(
    reader: &mut Reader<'_>,
    base: Timestamp,
) -> Result<Details, DecodeError> {
    let known = CODE | REFERENCE | DESCRIPTION | METADATA | EFFECTIVE_AT;
    let flags = reader.flags(known)?;
    let mut details = Details::default();
    if has(flags, CODE) {
        details.code = reader.number()?;
    }
    if has(flags, REFERENCE) {
        details.reference = Some(reader.text(Reference::new)?);
    }
    if has(flags, DESCRIPTION) {
        details.description = Some(reader.text(Description::new)?);
    }
    if has(flags, METADATA) {
        details.metadata = Some(read_metadata(reader)?);
    }
    if has(flags, EFFECTIVE_AT) {
        details.effective_at = Some(reader.time(base)?);
    }
    Ok(details)
}
