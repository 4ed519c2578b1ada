use rusqlite::{Connection, params};
use wallet_core::{
    AccountKey, ChangeSet, InLedger, Reference, ReversalTotal, Sequence, Timestamp, TransferKey,
};

use super::accounts::number;
use super::journal::Told;
use crate::error::{Doing, During, Result};
use crate::read::prepare;
use crate::value::ledger_number;

const INSERT: &str = "INSERT INTO wallet_transfer (ledger, id, journal) VALUES (?, ?, ?)";
const INSERT_REFERENCE: &str =
    "INSERT INTO wallet_reference (ledger, reference, transfer) VALUES (?, ?, ?)";
const INSERT_ENTRY: &str =
    "INSERT INTO wallet_entry (account, sequence, created_at, journal) VALUES (?, ?, ?, ?)";
const INSERT_REVERSAL: &str =
    "INSERT INTO wallet_reversal (ledger, transfer, leg, reversed) VALUES (?, ?, ?, ?)";
const UPDATE_REVERSAL: &str = "
    UPDATE wallet_reversal SET reversed = ?4 WHERE ledger = ?1 AND transfer = ?2 AND leg = ?3";

/// An entry's row: account's number, sequence, time, journal row.
type EntryRow = (i64, Sequence, Timestamp, i64);

/// Inserts where each new transfer and entry is told, sorted.
pub(super) fn insert(
    connection: &Connection,
    changes: &ChangeSet,
    told: &[Told<'_>],
    numbers: &[(AccountKey, i64)],
) -> Result<()> {
    let mut transfers = Vec::with_capacity(told.len());
    let mut entries = Vec::with_capacity(told.len().saturating_mul(2));
    for ((journal, outcome), (ledger, _)) in told.iter().zip(&changes.accepted) {
        for posted in outcome.postings() {
            let reference = posted.transfer.details.reference.as_ref();
            transfers.push((posted.transfer.key, *journal, reference));
            for effect in &posted.effects {
                let Some(mark) = effect.entry else { continue };
                let account = number(numbers, InLedger::new(*ledger, effect.account))?;
                let at = posted.transfer.created_at;
                entries.push((account, mark.sequence, at, *journal));
            }
        }
    }
    transfers.sort_unstable_by_key(|(key, _, _)| *key);
    entries.sort_unstable();
    insert_transfers(connection, &transfers)?;
    insert_entries(connection, &entries)
}

fn insert_transfers(
    connection: &Connection,
    transfers: &[(TransferKey, i64, Option<&Reference>)],
) -> Result<()> {
    let mut statement = prepare(connection, INSERT)?;
    for (key, journal, reference) in transfers {
        let ledger = ledger_number(key.ledger);
        statement
            .execute(params![ledger, key.id.as_bytes(), journal])
            .while_doing(Doing::Insert, "inserting a transfer")?;
        if let Some(reference) = reference {
            prepare(connection, INSERT_REFERENCE)?
                .execute(params![ledger, reference.as_str(), key.id.as_bytes()])
                .while_doing(Doing::Insert, "indexing a reference")?;
        }
    }
    Ok(())
}

fn insert_entries(connection: &Connection, entries: &[EntryRow]) -> Result<()> {
    let mut statement = prepare(connection, INSERT_ENTRY)?;
    for (account, sequence, at, journal) in entries {
        statement
            .execute((account, sequence, at.as_micros(), journal))
            .while_doing(Doing::Append, "inserting an entry")?;
    }
    Ok(())
}

/// Writes how much of transfers' legs is reversed.
pub(super) fn reversals(connection: &Connection, totals: &[ReversalTotal]) -> Result<()> {
    for total in totals {
        let sql = if total.is_new {
            INSERT_REVERSAL
        } else {
            UPDATE_REVERSAL
        };
        let ledger = ledger_number(total.transfer.ledger);
        let transfer = total.transfer.id.as_bytes();
        let reversed = total.reversed.to_be_bytes();
        prepare(connection, sql)?
            .execute(params![ledger, transfer, total.leg, reversed])
            .while_doing(Doing::Insert, "writing a reversal")?;
    }
    Ok(())
}
