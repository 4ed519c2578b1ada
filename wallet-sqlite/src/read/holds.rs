//! Reads of holds.

use rusqlite::{Connection, Row, params};
use wallet_core::ledger::{HoldKey, HoldStatus, InLedger};
use wallet_core::store::codec::decode_hold;
use wallet_core::store::{HoldQuery, HoldReferenceQuery};
use wallet_core::{Hold, HoldId, LedgerId, Timestamp};

use super::ids;
use crate::error::{During, Result, corrupt, undecodable};
use crate::statement::prepare;
use crate::value::{column, id_column, ledger, ledger_number};

const HOLD: &str = "SELECT body, id FROM wallet_hold WHERE ledger = ? AND id = ?";
const BY_PAYER: &str = "
    SELECT body, id FROM wallet_hold
    WHERE ledger = ? AND payer = ? AND status = ? AND id > ? ORDER BY id LIMIT ?";
const BY_PAYEE: &str = "
    SELECT body, id FROM wallet_hold
    WHERE ledger = ? AND payee = ? AND status = ? AND id > ? ORDER BY id LIMIT ?";
const BY_REFERENCE: &str = "
    SELECT hold FROM wallet_hold_reference
    WHERE ledger = ? AND reference = ? AND hold > ? ORDER BY hold LIMIT ?";
const EXPIRED: &str = "
    SELECT ledger, id FROM wallet_hold
    WHERE status = 0 AND expires_at IS NOT NULL AND expires_at <= ?
    ORDER BY expires_at, ledger, id LIMIT ?";

/// A hold.
pub(crate) fn hold(connection: &Connection, key: HoldKey) -> Result<Option<Hold>> {
    let context = "reading a hold";
    let mut statement = prepare(connection, HOLD)?;
    let by = params![ledger_number(key.ledger), key.id.as_bytes()];
    let mut rows = statement.query(by).during(context)?;
    let found = rows.next().during(context)?;
    found.map(|row| body(row, key.ledger)).transpose()
}

fn body(row: &Row<'_>, ledger: LedgerId) -> Result<Hold> {
    let bytes = row.get_ref(0).during("reading a column")?;
    let bytes = bytes.as_blob().map_err(|_| corrupt("a hold is damaged"))?;
    decode_hold(ledger, bytes).map_err(|error| {
        let id = id_column(row, 1, HoldId::from_bytes);
        let id = id.map_or_else(|_| "without an id".to_owned(), |id| id.to_string());
        let row = format!("ledger {ledger}, hold {id} in wallet_hold");
        undecodable(error, row)
    })
}

/// A page of the holds from or towards an account. Both indexes are ordered within a
/// status. So each status and side yields at most one page to merge.
pub(crate) fn list_holds(connection: &Connection, query: &HoldQuery) -> Result<Vec<Hold>> {
    let context = "listing holds";
    let asked: &[HoldStatus] = query.status.as_slice();
    let statuses = if asked.is_empty() {
        HoldStatus::ALL
    } else {
        asked
    };
    let after: &[u8] = query.after.as_ref().map_or(&[], |id| id.as_bytes());
    let ledger = query.account.ledger;
    let mut found: Vec<Hold> = Vec::new();
    for sql in [BY_PAYER, BY_PAYEE] {
        let mut statement = prepare(connection, sql)?;
        for status in statuses {
            let number = ledger_number(ledger);
            let id = query.account.id;
            let status = status.number();
            let by = params![number, id.as_bytes(), status, after, query.limit];
            let mut rows = statement.query(by).during(context)?;
            while let Some(row) = rows.next().during(context)? {
                found.push(body(row, ledger)?);
            }
        }
    }
    found.sort_unstable_by_key(|hold| hold.key);
    found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// A page of the holds with a reference.
pub(crate) fn referenced_holds(
    connection: &Connection,
    query: &HoldReferenceQuery,
) -> Result<Vec<Hold>> {
    let after: &[u8] = query.after.as_ref().map_or(&[], |id| id.as_bytes());
    let number = ledger_number(query.ledger);
    let by = params![number, query.reference.as_str(), after, query.limit];
    let ids = ids(connection, BY_REFERENCE, by, HoldId::from_bytes)?;
    let found = ids.into_iter().filter_map(|id| {
        let key = InLedger::new(query.ledger, id);
        hold(connection, key).transpose()
    });
    found.collect()
}

/// Pending holds that have expired, the longest expired first.
pub(crate) fn expired_holds(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<HoldKey>> {
    let context = "listing expired holds";
    let mut statement = prepare(connection, EXPIRED)?;
    let mut rows = statement.query((now.as_micros(), limit)).during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let ledger = ledger(column(row, 0)?)?;
        found.push(InLedger::new(
            ledger,
            id_column(row, 1, HoldId::from_bytes)?,
        ));
    }
    Ok(found)
}
