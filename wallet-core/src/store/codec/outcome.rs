use uuid::Uuid;

use super::hold::Known;
use super::parts::{read_later_epoch, write_epoch};
use super::wire::{Reader, Writer};
use super::{DecodeError, account, effect, hold, transfer};
use crate::ledger::{
    Epoch, Hold, HoldChanged, LedgerId, Leg, Outcome, Posted, Receipt, Rejected, Rejection,
    Timestamp,
};

const ACCEPTED: u8 = 1;
const REJECTED: u8 = 2;
/// A flag beside the tag: the outcome's epoch follows. The epoch is written only
/// where it is not the first one.
const LATER_EPOCH: u8 = 0x80;

const OPENED: u8 = 1;
const CHANGED: u8 = 2;
const POSTED: u8 = 3;
const CAPTURED: u8 = 4;
const HOLD_CHANGED: u8 = 5;
const BULK_ACCEPTED: u8 = 6;

/// The least size of a receipt: a tag and a number.
const LEAST_RECEIPT_BYTES: usize = 2;

/// The approximate number of bytes. A too small value costs one more allocation.
pub(super) fn size_hint(outcome: &Outcome) -> usize {
    let effects = |count: usize| count.saturating_mul(32);
    outcome.receipts().iter().fold(32, |sum, receipt| {
        let bytes = match receipt {
            Receipt::AccountOpened(opened) => account::size_hint(opened),
            Receipt::AccountChanged(_) => account::STATE_SIZE_HINT,
            Receipt::BulkAccepted { .. } => 4,
            Receipt::Posted(posted) => {
                let hold = posted.hold.as_deref().map_or(0, hold::size_hint);
                transfer::size_hint(&posted.transfer)
                    .saturating_add(hold)
                    .saturating_add(effects(posted.effects.len()))
            }
            Receipt::HoldChanged(changed) => {
                hold::size_hint(&changed.hold).saturating_add(effects(changed.effects.len()))
            }
        };
        sum.saturating_add(bytes)
    })
}

pub(super) fn write(writer: &mut Writer, outcome: &Outcome, base: Timestamp) {
    let Outcome { at, epoch, result } = outcome;
    writer.time(*at, base);
    match result {
        Ok(receipts) => {
            write_tag(writer, ACCEPTED, *epoch);
            writer.count(receipts.len());
            for receipt in receipts {
                write_receipt(writer, receipt, *at);
            }
        }
        Err(rejected) => {
            write_tag(writer, REJECTED, *epoch);
            let Rejected {
                rejection,
                command,
                subject,
            } = rejected;
            writer.unsigned(u64::from(rejection.number()));
            writer.unsigned(u64::from(*command));
            writer.id(subject.as_bytes());
        }
    }
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    ledger: LedgerId,
    base: Timestamp,
) -> Result<Outcome, DecodeError> {
    let at = reader.time(base)?;
    let (tag, epoch) = read_tag(reader)?;
    let result = match tag {
        ACCEPTED => {
            let count = reader.count(LEAST_RECEIPT_BYTES)?;
            let mut receipts = Vec::with_capacity(count);
            for _ in 0..count {
                receipts.push(read_receipt(reader, ledger, at)?);
            }
            Ok(receipts)
        }
        REJECTED => {
            let rejection = Rejection::from_number(reader.number()?);
            Err(Rejected {
                rejection: rejection.ok_or(DecodeError::Damaged)?,
                command: reader.number()?,
                subject: Uuid::from_bytes(reader.id()?),
            })
        }
        _ => return Err(DecodeError::Damaged),
    };
    Ok(Outcome { at, epoch, result })
}

fn write_tag(writer: &mut Writer, tag: u8, epoch: Epoch) {
    if epoch == Epoch::FIRST {
        writer.byte(tag);
    } else {
        writer.byte(tag | LATER_EPOCH);
        write_epoch(writer, epoch);
    }
}

fn read_tag(reader: &mut Reader<'_>) -> Result<(u8, Epoch), DecodeError> {
    let byte = reader.byte()?;
    let epoch = if byte & LATER_EPOCH == 0 {
        Epoch::FIRST
    } else {
        read_later_epoch(reader)?
    };
    Ok((byte & !LATER_EPOCH, epoch))
}

fn write_receipt(writer: &mut Writer, receipt: &Receipt, at: Timestamp) {
    match receipt {
        Receipt::AccountOpened(opened) => {
            writer.byte(OPENED);
            account::write(writer, opened, at);
        }
        Receipt::AccountChanged(changed) => {
            writer.byte(CHANGED);
            account::write_changed(writer, changed, at);
        }
        Receipt::Posted(posted) => {
            let Posted {
                transfer,
                hold,
                effects,
            } = posted;
            writer.byte(if hold.is_some() { CAPTURED } else { POSTED });
            transfer::write(writer, transfer, at);
            if let Some(hold) = hold {
                let leg = transfer.legs.first();
                let id = transfer.hold;
                hold::write(writer, hold, Known { id, leg }, at);
            }
            effect::write_all(writer, effects, &transfer.legs);
        }
        Receipt::HoldChanged(changed) => {
            let HoldChanged { hold, effects } = changed;
            writer.byte(HOLD_CHANGED);
            hold::write(writer, hold, Known::default(), at);
            effect::write_all(writer, effects, &[leg_of(hold)]);
        }
        Receipt::BulkAccepted { items } => {
            writer.byte(BULK_ACCEPTED);
            writer.unsigned(u64::from(*items));
        }
    }
}

fn read_receipt(
    reader: &mut Reader<'_>,
    ledger: LedgerId,
    at: Timestamp,
) -> Result<Receipt, DecodeError> {
    match reader.byte()? {
        OPENED => account::read(reader, ledger, at).map(Receipt::AccountOpened),
        CHANGED => account::read_changed(reader, ledger, at).map(Receipt::AccountChanged),
        POSTED => read_posted(reader, ledger, at, false).map(Receipt::Posted),
        CAPTURED => read_posted(reader, ledger, at, true).map(Receipt::Posted),
        HOLD_CHANGED => {
            let hold = hold::read(reader, ledger, Known::default(), at)?;
            let effects = effect::read_all(reader, &[leg_of(&hold)])?;
            Ok(Receipt::HoldChanged(HoldChanged { hold, effects }))
        }
        BULK_ACCEPTED => Ok(Receipt::BulkAccepted {
            items: reader.number()?,
        }),
        _ => Err(DecodeError::Damaged),
    }
}

fn read_posted(
    reader: &mut Reader<'_>,
    ledger: LedgerId,
    at: Timestamp,
    has_hold: bool,
) -> Result<Posted, DecodeError> {
    let transfer = transfer::read(reader, ledger, at)?;
    let hold = if has_hold {
        let leg = transfer.legs.first();
        let id = transfer.hold;
        let hold = hold::read(reader, ledger, Known { id, leg }, at)?;
        Some(Box::new(hold))
    } else {
        None
    };
    let effects = effect::read_all(reader, &transfer.legs)?;
    Ok(Posted {
        transfer,
        hold,
        effects,
    })
}

/// The hold as the leg that its effects refer to.
const fn leg_of(hold: &Hold) -> Leg {
    Leg::new(hold.from, hold.to, hold.money)
}
