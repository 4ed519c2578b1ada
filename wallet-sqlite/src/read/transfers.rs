//! Reads of transfers and their reversed amounts.

use rusqlite::{Connection, Params, params};
use wallet_core::ledger::{InLedger, TransferKey, TransferWithReversals};
use wallet_core::store::{CaptureQuery, ReferenceQuery};
use wallet_core::{LedgerId, Outcome, Transfer, TransferId};

use super::{ids, journal};
use crate::error::{During, Result, corrupt};
use crate::statement::prepare;
use crate::value::{column, ledger_number};

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
    let after: &[u8] = query.after.as_ref().map_or(&[], |id| id.as_bytes());
    let number = ledger_number(query.ledger);
    let by = params![number, query.reference.as_str(), after, query.limit];
    named_by(connection, query.ledger, BY_REFERENCE, by)
}

/// A page of the transfers that capture a hold.
pub(crate) fn captures(
    connection: &Connection,
    query: &CaptureQuery,
) -> Result<Vec<TransferWithReversals>> {
    let after: &[u8] = query.after.as_ref().map_or(&[], |id| id.as_bytes());
    let hold = query.hold;
    let by = params![
        ledger_number(hold.ledger),
        hold.id.as_bytes(),
        after,
        query.limit
    ];
    named_by(connection, hold.ledger, CAPTURES, by)
}

/// The transfers that an index names.
fn named_by(
    connection: &Connection,
    ledger: LedgerId,
    sql: &'static str,
    by: impl Params,
) -> Result<Vec<TransferWithReversals>> {
    let ids = ids(connection, sql, by, TransferId::from_bytes)?;
    let found = ids
        .into_iter()
        .filter_map(|id| transfer(connection, InLedger::new(ledger, id)).transpose());
    found.collect()
}
