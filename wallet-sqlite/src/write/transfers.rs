//! Writes transfers and their reversed amounts.

use rusqlite::{Connection, params};
use wallet_core::Transfer;
use wallet_core::store::ReversalTotal;

use super::journal::AcceptedOutcome;
use crate::error::{Doing, During, Result};
use crate::statement::prepare;
use crate::value::ledger_number;

const INSERT: &str = "INSERT INTO wallet_transfer (ledger, id, journal) VALUES (?, ?, ?)";
const INSERT_REFERENCE: &str =
    "INSERT INTO wallet_reference (ledger, reference, transfer) VALUES (?, ?, ?)";
const INSERT_CAPTURE: &str = "INSERT INTO wallet_capture (ledger, hold, transfer) VALUES (?, ?, ?)";
const INSERT_REVERSAL: &str =
    "INSERT INTO wallet_reversal (ledger, transfer, leg, reversed) VALUES (?, ?, ?, ?)";
const UPDATE_REVERSAL: &str = "
    UPDATE wallet_reversal SET reversed = ?4 WHERE ledger = ?1 AND transfer = ?2 AND leg = ?3";

/// Inserts the journal row of each new transfer, sorted.
pub(super) fn insert(connection: &Connection, accepted: &[AcceptedOutcome<'_>]) -> Result<()> {
    let mut transfers = Vec::with_capacity(accepted.len());
    for accepted in accepted {
        let each = accepted.outcome.transfers();
        transfers.extend(each.map(|transfer| (transfer, accepted.journal)));
    }
    transfers.sort_unstable_by_key(|(transfer, _)| transfer.key);
    insert_transfers(connection, &transfers)
}

fn insert_transfers(connection: &Connection, transfers: &[(&Transfer, i64)]) -> Result<()> {
    let mut statement = prepare(connection, INSERT)?;
    for (transfer, journal) in transfers {
        let key = transfer.key;
        let ledger = ledger_number(key.ledger);
        statement
            .execute(params![ledger, key.id.as_bytes(), journal])
            .while_doing(Doing::Insert, "inserting a transfer")?;
        if let Some(hold) = transfer.hold {
            prepare(connection, INSERT_CAPTURE)?
                .execute(params![ledger, hold.as_bytes(), key.id.as_bytes()])
                .while_doing(Doing::Insert, "indexing a capture")?;
        }
        if let Some(reference) = &transfer.details.reference {
            prepare(connection, INSERT_REFERENCE)?
                .execute(params![ledger, reference.as_str(), key.id.as_bytes()])
                .while_doing(Doing::Insert, "indexing a reference")?;
        }
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
