use wallet_core::{InLedger, ReversalTotal};

use super::journal::Told;
use super::{Number, Numbering};
use crate::error::{Doing, Result};
use crate::sql::{Insert, Script, Sql};

const TRANSFERS: Insert = Insert {
    doing: Doing::Insert,
    context: "inserting transfers",
    head: "INSERT INTO wallet_transfer (ledger, id, journal)",
    tail: "",
};
const REFERENCES: Insert = Insert {
    doing: Doing::Insert,
    context: "indexing references",
    head: "INSERT INTO wallet_reference (ledger, reference, transfer)",
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

/// Inserts where each new transfer is told, and their references, both sorted.
pub(super) fn insert(script: &mut Script, told: &[Told<'_>]) {
    let transfers = told.iter().flat_map(|told| {
        let transfers = told.outcome.transfers();
        transfers.map(|transfer| (told.journal, transfer))
    });
    let mut transfers: Vec<_> = transfers.collect();
    transfers.sort_unstable_by_key(|(_, transfer)| transfer.key);
    let mut references: Vec<_> = transfers
        .iter()
        .filter_map(|(_, transfer)| {
            let reference = transfer.details.reference.as_ref()?;
            Some((transfer.key.ledger, reference.as_str(), transfer.key.id))
        })
        .collect();
    references.sort_unstable();
    script.rows(TRANSFERS, transfers, |sql, (journal, transfer)| {
        sql.ledger(transfer.key.ledger).raw(",");
        sql.bytes(transfer.key.id.as_bytes()).raw(",");
        journal.write(sql);
    });
    script.rows(REFERENCES, references, |sql, (ledger, reference, id)| {
        sql.ledger(ledger).raw(",").text(reference);
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
                let account: Number = numbers.of(key)?;
                entries.push((account, mark.sequence, at, told.journal));
            }
        }
    }
    entries.sort_unstable();
    script.rows(ENTRIES, entries, |sql, (account, sequence, at, journal)| {
        account.write(sql);
        sql.raw(",").int(sequence).raw(",").time(at).raw(",");
        journal.write(sql);
    });
    Ok(())
}
