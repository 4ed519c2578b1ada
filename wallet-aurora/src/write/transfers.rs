use wallet_core::ledger::InLedger;
use wallet_core::store::ReversalTotal;

use super::Numbering;
use super::journal::Told;
use crate::error::{Doing, Result};
use crate::sql::{Insert, Script, Sql};

const REFERENCES: Insert = Insert {
    doing: Doing::Insert,
    context: "indexing references",
    head: "INSERT INTO wallet_reference (ledger, reference, transfer)",
    tail: "",
};
const CAPTURES: Insert = Insert {
    doing: Doing::Insert,
    context: "indexing captures",
    head: "INSERT INTO wallet_capture (ledger, hold, transfer)",
    tail: "",
};
const REVERSALS: Insert = Insert {
    doing: Doing::Insert,
    context: "writing reversals",
    head: "INSERT INTO wallet_reversal (ledger, transfer, leg, reversed)",
    tail: "",
};
const MORE_REVERSALS: Insert = Insert {
    doing: Doing::Work,
    context: "writing reversals",
    head: REVERSALS.head,
    tail: " ON DUPLICATE KEY UPDATE reversed = VALUES(reversed)",
};
const ENTRIES: Insert = Insert {
    doing: Doing::Append,
    context: "inserting entries",
    head: "INSERT INTO wallet_entry (account, sequence, created_at, journal)",
    tail: "",
};

/// Inserts the references of new transfers, sorted.
pub(super) fn references(script: &mut Script, told: &[Told<'_>]) {
    let transfers = told.iter().flat_map(|told| told.outcome.transfers());
    let mut references: Vec<_> = transfers
        .filter_map(|transfer| {
            let reference = transfer.details.reference.as_ref()?;
            Some((transfer.key.ledger, reference.as_str(), transfer.key.id))
        })
        .collect();
    references.sort_unstable();
    script.rows(REFERENCES, references, |sql, (ledger, reference, id)| {
        sql.ledger(ledger).raw(",").text(reference);
        sql.raw(",").bytes(id.as_bytes());
    });
}

/// Inserts the captures of holds, sorted.
pub(super) fn captures(script: &mut Script, told: &[Told<'_>]) {
    let transfers = told.iter().flat_map(|told| told.outcome.transfers());
    let mut captures: Vec<_> = transfers
        .filter_map(|transfer| Some((transfer.key.ledger, transfer.hold?, transfer.key.id)))
        .collect();
    captures.sort_unstable();
    script.rows(CAPTURES, captures, |sql, (ledger, hold, id)| {
        sql.ledger(ledger).raw(",").bytes(hold.as_bytes());
        sql.raw(",").bytes(id.as_bytes());
    });
}

/// Writes how much of transfers' legs is reversed.
pub(super) fn reversals(script: &mut Script, totals: &[ReversalTotal]) {
    for (insert, is_new) in [(REVERSALS, true), (MORE_REVERSALS, false)] {
        let wanted = totals.iter().filter(|total| total.is_new == is_new);
        script.rows(insert, wanted, |sql: &mut Sql, total| {
            sql.ledger(total.transfer.ledger).raw(",");
            sql.bytes(total.transfer.id.as_bytes()).raw(",");
            sql.int(total.leg).raw(",").decimal(total.reversed);
        });
    }
}

/// Inserts where each new entry is told, sorted.
pub(super) fn entries(
    script: &mut Script,
    told: &[Told<'_>],
    numbers: &Numbering<'_>,
) -> Result<()> {
    let mut entries = Vec::with_capacity(told.len().saturating_mul(2));
    for told in told {
        for posted in told.outcome.postings() {
            let at = posted.transfer.created_at;
            for effect in &posted.effects {
                let Some(mark) = effect.entry else { continue };
                let key = InLedger::new(told.ledger, effect.account);
                let account = numbers.of(key)?;
                entries.push((account, mark.sequence, at, told.journal));
            }
        }
    }
    entries.sort_unstable();
    script.rows(ENTRIES, entries, |sql, (account, sequence, at, journal)| {
        sql.int(account).raw(",").int(sequence);
        sql.raw(",").time(at).raw(",").int(journal);
    });
    Ok(())
}
