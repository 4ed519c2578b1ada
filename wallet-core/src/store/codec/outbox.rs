use std::sync::Arc;

use super::wire::{Reader, Writer};
use super::{DecodeError, outcome};
use crate::ledger::{LedgerId, Outcome, Receipt, Timestamp};

/// Ledger, time, tag and count of receipts.
const LEAST_BYTES: usize = 4;

/// Writes each outcome's time as the difference to the previous one, because
/// outcomes of one batch mostly share their time.
pub(super) fn encode(accepted: &[(LedgerId, Arc<Outcome>)]) -> Option<Vec<u8>> {
    if !accepted.iter().any(|(_, outcome)| has_effect(outcome)) {
        return None;
    }
    let size_hint = accepted.iter().fold(8_usize, |sum, (_, outcome)| {
        sum.saturating_add(outcome::size_hint(outcome))
    });
    let mut writer = Writer::new(size_hint);
    writer.count(accepted.len());
    let mut base = Timestamp::EPOCH;
    for (ledger, outcome) in accepted {
        writer.unsigned(u64::from(ledger.number()));
        outcome::write(&mut writer, outcome, base);
        base = outcome.at;
    }
    Some(writer.finish())
}

pub(super) fn decode(bytes: &[u8]) -> Result<Vec<(LedgerId, Outcome)>, DecodeError> {
    let mut reader = Reader::new(bytes)?;
    let count = reader.count(LEAST_BYTES)?;
    let mut outcomes = Vec::with_capacity(count);
    let mut base = Timestamp::EPOCH;
    for _ in 0..count {
        let ledger = LedgerId::new(reader.number()?);
        let outcome = outcome::read(&mut reader, ledger, base)?;
        base = outcome.at;
        outcomes.push((ledger, outcome));
    }
    reader.finish(outcomes)
}

/// Whether the outcome changed any account's version. Only a change makes an event.
fn has_effect(outcome: &Outcome) -> bool {
    outcome.receipts().iter().any(Receipt::has_effect)
}
