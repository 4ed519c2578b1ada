//! Reads of transfers and their reversed amounts.

use rusqlite::{Connection, params};
use wallet_core::ledger::{InLedger, TransferKey, TransferWithReversals};
use wallet_core::store::{CaptureQuery, ReferenceQuery};
use wallet_core::{Outcome, Transfer, TransferId};

use super::journal;
use crate::error::{During, Result, corrupt};
use crate::statement::prepare;
use crate::value::{column, id_column, ledger_number};

const JOURNAL: &str = "SELECT journal FROM wallet_transfer WHERE ledger = ? AND id = ?";
const REVERSED: &str =
    "SELECT leg, reversed FROM wallet_reversal WHERE ledger = ? AND transfer = ?";
const BY_REFERENCE: &str = "
    SELECT transfer FROM wallet_reference
    WHERE ledger = ? AND reference = ? AND transfer > ? ORDER BY transfer LIMIT ?";

const CAPTURES: &str = "
    SELECT transfer FROM wallet_capture
    WHERE ledger = ? AND hold = ? AND transfer > ? ORDER BY transfer LIMIT ?";

/// A transfer and its reversed amounts.
pub(crate) fn transfer(
    connection: &Connection,
    key: TransferKey,
) -> Result<Option<TransferWithReversals>> {
    let context = "finding a transfer";
    let mut statement = prepare(connection, JOURNAL)?;
    let by = params![ledger_number(key.ledger), key.id.as_bytes()];
    let mut rows = statement.query(by).during(context)?;
    let Some(row) = rows.next().during(context)? else {
        return Ok(None);
    };
    let recorded = journal::journal_row(connection, column(row, 0)?)?;
    let transfer = named(&recorded.outcome, key);
    let transfer = transfer.ok_or_else(|| corrupt("the journal does not hold a transfer"))?;
    let reversed = reversed(connection, &transfer)?;
    Ok(Some(TransferWithReversals { transfer, reversed }))
}

fn named(outcome: &Outcome, key: TransferKey) -> Option<Transfer> {
    let mut transfers = outcome.transfers();
    transfers.find(|transfer| transfer.key == key).cloned()
}

fn reversed(connection: &Connection, transfer: &Transfer) -> Result<Vec<i128>> {
    let context = "reading reversals";
    let mut totals = vec![0; transfer.legs.len()];
    let mut statement = prepare(connection, REVERSED)?;
    let key = transfer.key;
    let by = params![ledger_number(key.ledger), key.id.as_bytes()];
    let mut rows = statement.query(by).during(context)?;
    while let Some(row) = rows.next().during(context)? {
        let leg: u16 = column(row, 0)?;
        let total = totals.get_mut(usize::from(leg));
        *total.ok_or_else(|| corrupt("a reversal of no leg"))? =
            i128::from_be_bytes(column(row, 1)?);
    }
    Ok(totals)
}

/// A page of the transfers with a reference.
pub(crate) fn list_transfers(
    connection: &Connection,
    query: &ReferenceQuery,
) -> Result<Vec<TransferWithReversals>> {
    let context = "listing transfers";
    let after: &[u8] = query.after.as_ref().map_or(&[], |id| id.as_bytes());
    let number = ledger_number(query.ledger);
    let mut statement = prepare(connection, BY_REFERENCE)?;
    let mut rows = statement
        .query(params![
            number,
            query.reference.as_str(),
            after,
            query.limit
        ])
        .during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let id = id_column(row, 0, TransferId::from_bytes)?;
        found.extend(transfer(connection, InLedger::new(query.ledger, id))?);
    }
    Ok(found)
}

/// A page of the transfers that capture a hold.
pub(crate) fn captures(
    connection: &Connection,
    query: &CaptureQuery,
) -> Result<Vec<TransferWithReversals>> {
    let context = "listing captures";
    let after: &[u8] = query.after.as_ref().map_or(&[], |id| id.as_bytes());
    let number = ledger_number(query.hold.ledger);
    let by = params![number, query.hold.id.as_bytes(), after, query.limit];
    let mut statement = prepare(connection, CAPTURES)?;
    let mut rows = statement.query(by).during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let id = id_column(row, 0, TransferId::from_bytes)?;
        found.extend(transfer(connection, InLedger::new(query.hold.ledger, id))?);
    }
    Ok(found)
}
